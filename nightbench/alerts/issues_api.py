"""Resolving the issue of an alert through the server's API: Bugsink's, or Sentry's.

Bugsink's is tested with a real one. Sentry's follows its documentation ("Retrieve the event's issue by its id",
"Update an issue"), and is tested with a server that answers as that says.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from sentry_sdk.utils import BadDsn, Dsn

from nightbench import __version__
from nightbench.addresses import ISSUES_API
from nightbench.alerts.exchange import Exchange, Said, in_time
from nightbench.alerts.open_alert import OpenAlert
from nightbench.scrub import scrub

ALL_SECONDS = 30.0
"""That all issues of a night may take; the rest is resolved by the next night."""
_CALL_SECONDS = 10.0  # that one call may take of them
_MOST_PAGES = 20
_MOST_BYTES = 16 * 2**20
_TOO_LONG = "the server's API took too long"
_BUGSINK = "/api/canonical/0"
_INGEST = re.compile(r"o(?P<organization>\d+)\.ingest\.(?:(?P<region>[a-z0-9]+)\.)?sentry\.io")


class IssuesError(Exception):
    """Why the server's API did not do what was asked, one sentence free of secrets."""


@dataclass(frozen=True)
class Resolved:
    """What became of an issue.

    Attributes:
        state: ``resolved`` now; ``none`` when no open issue of it is there; ``newer`` when somebody else told of it
            later, so that it is not for this night to say that it is over.
    """

    state: Literal["resolved", "none", "newer"]


class IssuesApi:
    """The API of the server that a DSN belongs to.

    Args:
        dsn: Where alerts are posted.
        token: Of the API.
        url: Of the API, ``https://HOST/api/canonical/0`` (Bugsink) or
            ``https://sentry.io/api/0/organizations/ORGANIZATION`` (Sentry); told by the DSN when None.
        seconds: That all calls together may take.

    Attributes:
        url: Of the API.

    Raises:
        IssuesError: when the address says of neither where issues are.
    """

    def __init__(self, dsn: str, token: str, url: str | None, *, seconds: float = ALL_SECONDS) -> None:
        try:
            self._dsn = Dsn(dsn)
        except (BadDsn, ValueError) as error:
            raise IssuesError("the DSN names no server") from error
        self.url = (url or _of_dsn(self._dsn)).rstrip("/")
        self._token = token
        self._end = time.monotonic() + seconds
        self._done: set[tuple[str, ...]] = set()
        self._open: list[Mapping[str, Any]] | None = None
        self._speaks = ISSUES_API.search(self.url)
        if self._speaks is None:
            raise IssuesError(f"{scrub(self.url)} is no API of Bugsink or Sentry")

    def check(self) -> None:
        """Ask for the issues of the DSN's project and change nothing.

        Raises:
            IssuesError: when the server could not be asked, or does not take the token.
        """
        bugsink = self._speaks is not None and self._speaks["bugsink"]
        project = f"project={_part(self._dsn.project_id)}"
        path = f"/issues/?{project}" if bugsink else f"/issues/?{project}&limit=1"
        said = self._said("GET", path, None)
        if not 200 <= said.status < 300:
            raise IssuesError(f"the server's API answered HTTP {said.status}{_hint(said.status)}")

    def resolve(self, alert: OpenAlert) -> Resolved:
        """Resolve the issue of an alert, when it is open and its last event is ours.

        Raises:
            IssuesError: when the server could not be asked or would not do it.
        """
        if alert.fingerprint in self._done:  # an issue that is resolved cannot be resolved
            return Resolved("resolved")
        bugsink = self._speaks is not None and self._speaks["bugsink"]
        try:
            found = self._at_bugsink(alert) if bugsink else self._at_sentry(alert)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            name = type(error).__name__
            raise IssuesError(f"what the server's API answered is not understood ({name})") from error
        if found.state == "resolved":
            self._done.add(alert.fingerprint)
        return found

    def _at_bugsink(self, alert: OpenAlert) -> Resolved:
        """By the title among the open issues, then by the fingerprint of the last event."""
        if self._open is None:
            self._open = [issue for issue in self._issues() if issue.get("is_resolved") is False]
        for issue in self._open:
            if issue.get("calculated_value") != alert.title:
                continue
            events = self._get(f"/events/?issue={_part(issue['id'])}&order=desc").get("results") or []
            if not events:
                continue
            data = self._get(f"/events/{_part(events[0]['id'])}/").get("data") or {}
            if tuple(data.get("fingerprint") or ()) != alert.fingerprint:
                continue
            if _told_later(data.get("tags"), alert):
                return Resolved("newer")
            self._call("POST", f"/issues/{_part(issue['id'])}/resolve/")
            return Resolved("resolved")
        return Resolved("none")

    def _issues(self) -> Iterator[Mapping[str, Any]]:
        query = f"project={_part(self._dsn.project_id)}&sort=last_seen&order=desc"
        for _ in range(_MOST_PAGES):
            page = self._get(f"/issues/?{query}")
            yield from page.get("results") or []
            # the address that the server names may be one that only it knows itself by
            query = str(page.get("next") or "").partition("?")[2]
            if not query:
                return

    def _at_sentry(self, alert: OpenAlert) -> Resolved:
        """By the id of the last event."""
        found = self._get(f"/eventids/{_part(alert.event_id)}/", missing={})
        if not found.get("groupId"):
            return Resolved("none")
        issue = f"/issues/{_part(found['groupId'])}/"
        latest = self._get(f"{issue}events/latest/", missing={})
        tags = {tag["key"]: tag["value"] for tag in latest.get("tags") or () if isinstance(tag, Mapping)}
        if _told_later(tags, alert):
            return Resolved("newer")
        self._call("PUT", issue, {"status": "resolved"})
        return Resolved("resolved")

    def _get(self, path: str, missing: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._call("GET", path, missing=missing)

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        missing: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        said = self._said(method, path, None if body is None else json.dumps(body).encode())
        if said.status == 404 and missing is not None:  # HTTP's word for none
            return missing
        if not 200 <= said.status < 300:
            raise IssuesError(f"the server's API answered HTTP {said.status}{_hint(said.status)}")
        return _object(said.body)

    def _said(self, method: str, path: str, body: bytes | None) -> Said:
        seconds = min(_CALL_SECONDS, self._end - time.monotonic())
        if seconds <= 0:
            raise IssuesError(_TOO_LONG)
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/json",
            "User-Agent": f"nightbench/{__version__}",
            "Connection": "close",
            **({} if body is None else {"Content-Type": "application/json"}),
        }
        try:
            url = urlsplit(self.url + path)
            exchange = Exchange(
                url.scheme, url.hostname or "", url.port, connect_seconds=seconds, most_bytes=_MOST_BYTES
            )
            target = f"{url.path}?{url.query}" if url.query else url.path
            speak = partial(exchange.speak, method, target, body, headers, pause_seconds=seconds)
            return in_time(seconds, speak, exchange.break_off)
        except TimeoutError:
            raise IssuesError(_TOO_LONG) from None
        except (HTTPException, OSError, ValueError) as error:
            raise IssuesError(f"the server's API cannot be reached ({type(error).__name__})") from None


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise IssuesError("the server's API answered with something else than JSON")
    return found


def _hint(status: int) -> str:
    return ": is NIGHTBENCH_ALERTS__API_TOKEN right?" if status in {401, 403} else ""


def _of_dsn(dsn: Dsn) -> str:
    saas = _INGEST.fullmatch(dsn.host)
    if saas is not None:
        host = f"{saas['region']}.sentry.io" if saas["region"] else "sentry.io"
        return f"https://{host}/api/0/organizations/{saas['organization']}"
    path = dsn.path.rstrip("/") if isinstance(dsn.path, str) else ""
    return f"{dsn.scheme}://{dsn.netloc}{path}{_BUGSINK}"


def _told_later(tags: Any, alert: OpenAlert) -> bool:
    """Whether an event is of a night after the last one that this outbox knows; ids of nights sort by time."""
    pairs = tags.items() if isinstance(tags, Mapping) else (tags or ())
    night = next((str(pair[1]) for pair in pairs if len(pair) == 2 and pair[0] == "night_id"), "")
    return night > alert.last_night


def _part(value: Any) -> str:
    return quote(str(value), safe="")
