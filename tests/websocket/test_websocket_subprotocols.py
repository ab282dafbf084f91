"""Subprotocols of each user's own, which may carry its token: filled in, checked, offered, and never stored."""

import asyncio
import threading

import pytest
from servers import chat_server, polite

from nightbench.errors import ConfigurationError
from nightbench.plan import WebSocketPlan
from nightbench.websocket.generator import run_generator
from nightbench.websocket.provisions import headers_of, load_provisions
from nightbench.websocket.result import WebSocketSpec

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_SUCH_ONE", raising=False)
    monkeypatch.setenv("KEY_OF_IT", SECRET)


def plan_of(**fields):
    return WebSocketPlan(**{"users": 4, "duration": 1, **fields})


def test_subprotocols_are_filled_in_for_each_user(tmp_path):
    (tmp_path / "users.csv").write_text("tenant\na\nb\n")
    offered = ["chat.v1", "bearer.${token}", "${tenant}-${user}", "${env:KEY_OF_IT}", "a$$b"]
    plan = plan_of(data="users.csv", subprotocols=offered, tokens={"template": "t${user}"})
    provisions = asyncio.run(load_provisions(plan, None))
    assert headers_of(plan, provisions, 3) == (
        ("Authorization", "Bearer t3"),
        ("Sec-WebSocket-Protocol", f"chat.v1, bearer.t3, b-3, {SECRET}, a$b"),
    )
    assert SECRET not in repr(provisions)


def test_a_server_hears_each_users_own_subprotocols_and_takes_one(tmp_path):
    (tmp_path / "tokens.txt").write_text("one\ntwo\nthree\n")
    seen = []

    async def noting(websocket):
        seen.append((websocket.request.headers["Sec-WebSocket-Protocol"], websocket.subprotocol))
        await polite(websocket)

    plan = plan_of(
        users=3,
        duration=0.2,
        warmup=0,
        ramp=0.1,
        subprotocols=["bearer.${token}", "chat.v1"],
        tokens={"file": "tokens.txt"},
    )
    with chat_server(noting, select_subprotocol=lambda _connection, offered: offered[0]) as url:
        spec = WebSocketSpec(plan, url, "test", asyncio.run(load_provisions(plan, None)))
        result = run_generator(spec, lambda _: None, threading.Event())
    assert result.counted["connection"].ok == 3
    assert sorted(seen) == [
        (f"bearer.{token}, chat.v1", f"bearer.{token}") for token in ("one", "three", "two")
    ]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("chat.v1", "chat.v1"),
        ("bearer.${token}", "bearer.${token}"),
        ("graphql-transport-ws.of-a-house-of-ours", "graphql-transport-ws.of-a-house-of-ours"),
        ("x-" * 20 + "x", "***"),
        ("x" * 15, "x" * 15),
        ("bearer." + "x" * 16, "***"),
        ("bearer.hunter22", "***"),
        ("a-${user}-" + "x" * 41, "a-${user}***"),
        ("bearer.eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "***"),
    ],
)
def test_a_subprotocol_that_may_hold_a_secret_is_stored_without_it(given, stored):
    plan = plan_of(subprotocols=[given])
    assert plan.subprotocols == (given,)
    assert plan.model_dump(mode="json")["subprotocols"] == [stored]
    assert stored == given or given not in repr(plan)


# fields of the plan, what the error has to say, and files
BAD = {
    "subprotocol with a token that none can hold": (
        {"subprotocols": ["chat", "bearer.${token}"], "tokens": {"template": f"{SECRET}/="}},
        ["subprotocols[1] = 'bearer.${token}'", "of user 0", "a character that no subprotocol can"],
    ),
    "subprotocol with a value that none can hold": (
        {"subprotocols": ["a.${q}"], "data": "it.csv"},
        ["subprotocols[0] = 'a.${q}'", "of user 1", "a character that no subprotocol can"],
        {"it.csv": b"q\nx\n%b y\n" % SECRET.encode()},
    ),
    "subprotocol that is empty": (
        {"subprotocols": ["${q}"], "data": "it.csv"},
        ["subprotocols[0] = '${q}'", "of user 1", "is empty"],
        {"it.csv": b'q\nx\n""\n'},
    ),
    "subprotocol that is offered twice": (
        {"subprotocols": ["a.2", "a.${user}"]},
        ["subprotocols[1] = 'a.${user}'", "of user 2 is offered twice"],
    ),
    "subprotocol with a token that there is not": (
        {"subprotocols": ["bearer.${token}"]},
        ["subprotocols[0] = '${token}'", "no token here", "--token"],
    ),
    "subprotocol with a variable that is not set": (
        {"subprotocols": ["a.${env:NO_SUCH_ONE}"]},
        ["subprotocols[0]", "variable NO_SUCH_ONE is not set"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_offered_is_told_before_any_load(case, tmp_path):
    fields, says, *files = BAD[case]
    for name, content in (files[0] if files else {}).items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        asyncio.run(load_provisions(plan_of(**fields), None))
    assert [text for text in says if text not in str(caught.value)] == []
    assert SECRET not in str(caught.value)
