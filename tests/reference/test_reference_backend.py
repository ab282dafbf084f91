"""The reference backend speaks the default conversation and counts what it does."""

import asyncio
import json
import time

import pytest
from reference.conftest import get_json, running
from waiting import until
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus


def talk(address, *sent, token=None, url=None, replies=1):
    """Send texts and return the messages until so many `replies` have ended."""

    async def main():
        headers = {"Authorization": f"Bearer {address.token if token is None else token}"}
        async with connect(
            url or address.websocket_url, additional_headers=headers, compression=None
        ) as client:
            for text in sent:
                await client.send(text if isinstance(text, (str, bytes)) else json.dumps(text))
            received = []
            while sum(message["type"] in ("done", "error") for message in received) < replies:
                received.append(json.loads(await asyncio.wait_for(client.recv(), 10)))
            return received

    return asyncio.run(main())


def chat(message_id, text="hello"):
    return {"type": "chat", "id": message_id, "message": text}


def test_health(healthy):
    assert get_json(healthy.counters_url.replace("/counters", "/health")) == {"status": "ok"}


def test_a_reply_is_chunks_and_then_done_with_the_same_id(healthy):
    received = talk(healthy, chat("m-1"))
    assert [message["type"] for message in received] == ["chunk"] * 4 + ["done"]
    assert {message["id"] for message in received} == {"m-1"}
    assert "".join(message.get("text", "") for message in received).startswith("You spent")


def test_messages_of_one_connection_are_answered_side_by_side():
    asked = [f"m-{number}" for number in range(20)]
    with running("--delay", "uniform", "--delay-ms", "200", "--delay-spread", "1") as address:
        received = talk(address, *map(chat, asked), replies=20)
    answered = [message["id"] for message in received if message["type"] == "done"]
    assert sorted(answered) == sorted(asked)
    assert answered != asked  # those whose delay is short overtake the others


def test_the_token_may_travel_in_the_query(healthy):
    url = f"{healthy.websocket_url}?token={healthy.token}"

    async def main():
        async with connect(url) as client:
            await client.send(json.dumps(chat("q")))
            return json.loads(await client.recv())

    assert asyncio.run(main())["id"] == "q"


@pytest.mark.parametrize("token", ["", "wrong", "tökén"])
def test_a_wrong_token_is_refused_before_the_connection_opens(healthy, token):
    with pytest.raises(InvalidStatus) as refused:
        talk(healthy, chat("x"), token=token.encode().decode("latin-1"))
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        b"\x00\xff",
        "[]",
        '{"type": "chat"}',
        '{"type": "chat", "id": 1, "message": "x"}',
        '{"type": "chat", "id": "1"}',
        '{"type": "shout", "id": "1", "message": "x"}',
        "[" * 50_000,
    ],
)
def test_a_malformed_message_is_answered_and_the_connection_stays(healthy, text):
    first, *rest = talk(healthy, text, chat("after"), replies=2)
    errors = [message for message in (first, *rest) if message["type"] == "error"]
    assert len(errors) == 1
    assert errors[0]["id"] is None
    assert errors[0]["detail"]
    assert rest[-1]["type"] == "done" or first["type"] == "chunk"


def test_a_message_with_a_nul_is_stored_without_it(healthy):
    assert talk(healthy, chat("nul", "a\0b"))[-1] == {"type": "done", "id": "nul"}


def counted(address):
    """What it has counted, once it has seen that all clients have gone."""

    def look():
        counters = get_json(address.counters_url)
        return None if counters["connections_open"] else counters

    return until(look)


def test_it_counts_exactly_what_it_did(healthy):
    before = counted(healthy)
    talk(healthy, *(chat(f"m-{number}") for number in range(10)), "junk", replies=11)
    after = counted(healthy)
    changed = {name: after[name] - before[name] for name in before if name != "rows_written"}
    assert changed == {
        "connections_accepted": 1,
        "connections_refused": 0,
        "connections_open": 0,
        "messages_received": 11,
        "replies_done": 10,
        "replies_failed": 1,
    }
    rows = {
        table: after["rows_written"][table] - before["rows_written"][table] for table in after["rows_written"]
    }
    assert rows == {"conversations": 1, "messages": 20}


def test_staged_errors_refusals_and_delays():
    faults = ("--error-rate", "0.5", "--refuse-rate", "0.5")
    with running("--delay", "fixed", "--delay-ms", "100", "--chunks", "1", *faults) as address:
        outcomes = []
        for _ in range(20):
            began = time.monotonic()
            try:
                outcomes.append(talk(address, chat("m"))[-1]["type"])
            except InvalidStatus as refused:
                outcomes.append(refused.response.status_code)
            assert outcomes[-1] != "done" or time.monotonic() - began >= 0.09
        counters = get_json(address.counters_url)
    assert set(outcomes) == {"done", "error", 503}
    assert counters["connections_refused"] == outcomes.count(503)
    assert counters["replies_failed"] == outcomes.count("error")


def test_a_staged_stall_holds_the_reply_back():
    with running("--delay", "fixed", "--delay-ms", "0", "--stall-for", "1") as address:
        began = time.monotonic()
        talk(address, chat("m"))
        assert time.monotonic() - began >= 0.9
