"""`nightbench doctor` shakes hands once with a real server, as the load would, and looks at its certificate."""

from __future__ import annotations

import asyncio
import http

import pytest
from certificates import EXPIRED, Authority
from servers import chat_server

from nightbench import settings as settings_module
from nightbench.doctor.websocket import certificate_findings, websocket_findings
from nightbench.plan.conversation import TlsOptions
from nightbench.tiers import TIERS

PLAN = TIERS["stress"].websocket


def _settings(url, token="sesame"):
    return settings_module.load({"websocket_url": url, "token": token})


@pytest.fixture(scope="module")
def guarded():
    """A server that lets in who has the token; with what it has seen."""
    seen = []

    def check(connection, request):
        seen.append(request.headers.get("Authorization"))
        if seen[-1] != "Bearer sesame":
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "no\n")
        return None

    async def handler(connection):
        seen.extend([message async for message in connection])

    with chat_server(handler, process_request=check) as url:
        yield url, seen


def test_one_user_is_let_in_and_says_nothing(guarded):
    url, seen = guarded
    seen.clear()
    (finding,) = websocket_findings(_settings(url), PLAN)
    assert (finding.state, "with its token" in finding.why) == ("ok", True)
    assert seen == ["Bearer sesame"]


def test_a_wrong_token_is_told_with_its_status_and_not_repeated(guarded):
    (finding,) = websocket_findings(_settings(guarded[0], "hunter2"), PLAN)
    assert (finding.state, "HTTP 401" in finding.why) == ("failure", True)
    assert "hunter2" not in str(finding)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize(
    ("given", "trusted", "states"),
    [
        ({}, True, ["ok", "warning"]),  # valid for a day
        ({"valid": EXPIRED}, True, ["failure"]),
        ({}, False, ["failure"]),
    ],
)
def test_a_certificate_is_looked_at_as_the_load_does(authority, given, trusted, states):
    async def handler(_connection):
        await asyncio.sleep(0)

    tls = TlsOptions(ca_file=str(authority.file)) if trusted else TlsOptions()
    plan = PLAN.model_copy(update={"tls": tls})
    with chat_server(handler, ssl=authority.server_context(**given)) as url:
        found = [*websocket_findings(_settings(url), plan), *certificate_findings(_settings(url), plan)]
    assert [each.state for each in found] == states
