"""The API of issues where no server at hand speaks it: Sentry's, answered as its documentation says, and ones that fail."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import IO, Any

import pytest
from http_served import http_served
from remembering import night_id, opened, regression

from nightbench.alerts.issues_api import IssuesApi, IssuesError

OPEN = opened(regression())
ISSUE = "/api/0/organizations/acme/issues/17/"
TOKEN = "sntrys_secret"


class Api:
    """Answers each method and path with what it was told, and 404 to all else."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.tokens: set[str] = set()
        self.port = 0

    def answer(self, method: str, path: str, content: Any, status: int = 200) -> None:
        self.answers[method, path] = (status, content)

    @property
    def sentry(self) -> IssuesApi:
        return IssuesApi(f"http://key@127.0.0.1:{self.port}/1", TOKEN, f"{self.url}/api/0/organizations/acme")

    @property
    def bugsink(self) -> IssuesApi:
        return IssuesApi(f"http://key@127.0.0.1:{self.port}/1", TOKEN, None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def serving() -> Iterator[list[Api]]:
    current: list[Api] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            api = current[0]
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            api.asked.append((self.command, self.path, json.loads(body or b"null")))
            api.tokens.add(self.headers["Authorization"])
            status, content = api.answers.get((self.command, self.path.partition("?")[0]), (404, {}))
            if callable(content):
                self.close_connection = True
                content(self.wfile)
                return
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_PUT(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            self.do_GET()

    with http_served(Handler) as port:
        current.append(Api())
        current[0].port = port
        yield current


@pytest.fixture
def api(serving: list[Api]) -> Api:
    fresh = Api()
    fresh.port = serving[0].port
    serving[0] = fresh
    return fresh


def known(api: Api, night: str = night_id(0)) -> None:
    """Sentry has the issue of the event, the last one of which is of `night`."""
    api.answer("GET", f"/api/0/organizations/acme/eventids/{OPEN.event_id}/", {"groupId": "17"})
    api.answer("GET", f"{ISSUE}events/latest/", {"tags": [{"key": "night_id", "value": night}]})
    api.answer("PUT", ISSUE, {"status": "resolved"})


def test_sentrys_issue_is_found_by_the_event_and_updated(api: Api) -> None:
    known(api)
    assert api.sentry.resolve(OPEN).state == "resolved"
    assert api.asked[-1] == ("PUT", ISSUE, {"status": "resolved"})
    assert api.tokens == {f"Bearer {TOKEN}"}


def test_an_event_that_sentry_does_not_know_has_no_issue(api: Api) -> None:
    assert api.sentry.resolve(OPEN).state == "none"
    assert len(api.asked) == 1


def test_an_issue_that_a_later_night_told_of_is_left_alone(api: Api) -> None:
    known(api, night_id(3))
    assert api.sentry.resolve(OPEN).state == "newer"
    assert not [method for method, *_ in api.asked if method == "PUT"]


@pytest.mark.parametrize(
    ("status", "content", "why"),
    [
        (401, {}, "HTTP 401: is NIGHTBENCH_ALERTS__API_TOKEN right"),
        (403, {}, "HTTP 403: is NIGHTBENCH_ALERTS__API_TOKEN right"),
        (404, {}, "HTTP 404"),
        (500, {}, "HTTP 500"),
        (302, {}, "HTTP 302"),
        (200, b"<html>", "something else than JSON"),
        (200, b"[" * 100_000, "something else than JSON"),
        (200, [], "something else than JSON"),
        (200, b"", ""),
        (200, {"results": None}, ""),
    ],
)
def test_what_bugsink_may_answer_is_a_reason_or_no_issue(
    api: Api, status: int, content: Any, why: str
) -> None:
    api.answer("GET", "/api/canonical/0/issues/", content, status)
    if not why:
        assert api.bugsink.resolve(OPEN).state == "none"
        return
    with pytest.raises(IssuesError, match=why) as caught:
        api.bugsink.resolve(OPEN)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [{"results": [1]}, {"results": [{"is_resolved": False, "calculated_value": OPEN.title}]}, {"results": 5}],
)
def test_an_answer_of_another_shape_is_a_reason(api: Api, content: Any) -> None:
    api.answer("GET", "/api/canonical/0/issues/", content)
    with pytest.raises(IssuesError, match="not understood"):
        api.bugsink.resolve(OPEN)


def test_all_pages_of_issues_are_looked_through_and_never_those_of_another_host(api: Api) -> None:
    issues = "/api/canonical/0/issues/"
    api.answer("GET", issues, {"results": [], "next": f"http://127.0.0.1:9{issues}?project=1&cursor=abc"})
    assert api.bugsink.resolve(OPEN).state == "none"
    assert len(api.asked) == 20
    assert api.asked[1][1] == f"{issues}?project=1&cursor=abc"


def test_nobody_who_answers_is_a_reason_without_the_token() -> None:
    api = IssuesApi("http://key@127.0.0.1:9/1", TOKEN, None)
    with pytest.raises(IssuesError, match="cannot be reached") as caught:
        api.resolve(OPEN)
    assert TOKEN not in str(caught.value)


def test_what_has_no_time_left_is_not_asked(api: Api) -> None:
    known(api)
    slow = IssuesApi("http://key@127.0.0.1:9/1", TOKEN, f"{api.url}/api/0/organizations/acme", seconds=0)
    with pytest.raises(IssuesError, match="took too long"):
        slow.resolve(OPEN)
    assert api.asked == []


@pytest.mark.parametrize(
    ("dsn", "url"),
    [
        ("https://k@o12.ingest.sentry.io/3", "https://sentry.io/api/0/organizations/12"),
        ("https://k@o12.ingest.de.sentry.io/3", "https://de.sentry.io/api/0/organizations/12"),
        ("https://k@bugs.example/3", "https://bugs.example/api/canonical/0"),
        ("http://k@bugs.example:8000/below/3", "http://bugs.example:8000/below/api/canonical/0"),
    ],
)
def test_the_dsn_says_where_the_api_is(dsn: str, url: str) -> None:
    assert IssuesApi(dsn, TOKEN, None).url == url


@pytest.mark.parametrize(("dsn", "url"), [("nonsense", None), ("https://k@h/1", "https://h/api/7")])
def test_an_address_of_no_api_is_an_error(dsn: str, url: str | None) -> None:
    with pytest.raises(IssuesError):
        IssuesApi(dsn, TOKEN, url)


def test_an_event_that_was_never_told_alone_has_no_issue_at_sentry(api: Api) -> None:
    assert api.sentry.resolve(replace(OPEN, event_id="")).state == "none"


BUGSINKS = "/api/canonical/0"


def with_issue(api: Api) -> None:
    """Bugsink has the issue, and refuses to resolve what is resolved."""
    events = {"results": [{"id": "e"}]}
    data = {"fingerprint": list(OPEN.fingerprint), "tags": {"night_id": night_id(0)}}
    issue = {"id": "17", "is_resolved": False, "calculated_value": OPEN.title}
    api.answer("GET", f"{BUGSINKS}/issues/", {"results": [issue]})
    api.answer("GET", f"{BUGSINKS}/events/", events)
    api.answer("GET", f"{BUGSINKS}/events/e/", {"data": data})
    api.answer("POST", f"{BUGSINKS}/issues/17/resolve/", {})


@pytest.mark.parametrize("server", ["bugsink", "sentry"])
def test_an_issue_of_two_setups_is_resolved_once(api: Api, server: str) -> None:
    with_issue(api)
    known(api)
    asked: IssuesApi = getattr(api, server)
    assert [asked.resolve(replace(OPEN, setup=setup)).state for setup in ("old", "new")] == ["resolved"] * 2
    assert [method for method, *_ in api.asked if method != "GET"] == [
        {"bugsink": "POST", "sentry": "PUT"}[server]
    ]


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 120\r\n"


def dripping(at_once: bytes, then: bytes) -> Callable[[IO[bytes]], None]:
    """Some bytes at once, then one now and then."""

    def drip(wire: IO[bytes]) -> None:
        try:
            wire.write(at_once)
            for byte in then:
                time.sleep(0.01)
                wire.write(bytes([byte]))
        except OSError:
            pass  # whoever asked has gone

    return drip


@pytest.mark.parametrize(
    "drip",
    [dripping(b"", HEAD + b"\r\n" + b"{}".rjust(120)), dripping(HEAD + b"\r\n", b"{}".rjust(120))],
    ids=["head", "body"],
)
def test_a_server_that_drips_is_given_up_in_time(api: Api, drip: Callable[[IO[bytes]], None]) -> None:
    api.answer("GET", f"{BUGSINKS}/issues/", drip)
    slow = IssuesApi(f"http://key@127.0.0.1:{api.port}/1", TOKEN, None, seconds=0.1)
    with pytest.raises(IssuesError, match="took too long"):
        slow.resolve(OPEN)


def test_an_id_that_no_address_can_hold_is_a_reason(api: Api) -> None:
    with_issue(api)
    issue = {"id": "\ud800", "is_resolved": False, "calculated_value": OPEN.title}
    api.answer("GET", f"{BUGSINKS}/issues/", {"results": [issue]})
    with pytest.raises(IssuesError, match="not understood"):
        api.bugsink.resolve(OPEN)
