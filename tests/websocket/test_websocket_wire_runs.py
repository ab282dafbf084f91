"""What the wire can do to a whole run: it ends in time, and all that was sent ends in a named class."""

import asyncio
import json
import time

import pytest
from memory import forget_peak, peak_memory
from servers import accepting, answer, answering_after, chat_server, raw_server, reset_on_close

from nightbench.plan import WebSocketPlan
from nightbench.websocket.generator import run_generator
from nightbench.websocket.result import WebSocketSpec

SHORT = {"timeout": 0.3}
"""For behaviours that nobody should wait for."""
HANG_SECONDS = 30.0
MEMORY_BYTES = 128 * 2**20


def run_against(url, **plan):
    """Run a small load test; its account adds up, and it neither hangs nor swallows memory."""
    numbers = {
        "users": 2, "duration": 0.4, "ramp": 0.05, "warmup": 0.1, "rate": 25, "timeout": 5.0,
        "connect_timeout": 5.0, "max_in_flight": 1000, "reconnect": False, "lost_after": 0.2, **plan,
    }  # fmt: skip
    forget_peak()
    before, begun = peak_memory(), time.monotonic()
    result = run_generator(WebSocketSpec(WebSocketPlan(**numbers), url, "test"))
    assert time.monotonic() - begun < HANG_SECONDS
    assert peak_memory() - before < MEMORY_BYTES
    for accounts in (result.counted, result.uncounted):
        for operation, counts in accounts.items():
            counts.check(operation)
            assert counts.in_flight == 0
    return result


def message_errors(result):
    return result.counted["message"].errors + result.uncounted["message"].errors


def replying(say):
    """Each message is answered with what ``say(id)`` gives: texts, or bytes of a binary message."""

    async def handler(websocket):
        async for text in websocket:
            for reply in say(json.loads(text)["id"]):
                await websocket.send(reply)

    return handler


def done(message_id):
    return json.dumps({"type": "done", "id": message_id})


async def backwards(websocket):
    """Two messages are answered at a time, the last one first; who is left over is answered at the end."""
    waiting = []
    while True:
        try:
            async with asyncio.timeout(0.2):
                waiting.append(await websocket.recv())
        except TimeoutError:
            pass
        else:
            if len(waiting) < 2:
                continue
        while waiting:
            await answer(websocket, waiting.pop())


async def never_finishing(websocket):
    async def stream(message_id):
        while True:
            await websocket.send(json.dumps({"type": "chunk", "id": message_id, "text": "and"}))
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as streams:
        async for text in websocket:
            streams.create_task(stream(json.loads(text)["id"]))


async def deaf(websocket):
    async for _ in websocket:
        pass


async def invalid_utf8(websocket):
    async for _ in websocket:
        await websocket.send(b'{"id": "\xff"}', text=True)


async def in_fragments(websocket):
    async for text in websocket:
        await websocket.send(iter(done(json.loads(text)["id"])))


ANSWERED = {
    "duplicate replies": (replying(lambda name: [done(name)] * 3), {"duplicate_reply"}),
    "replies in another order": (backwards, set()),
    "replies of somebody else beside the right one": (
        replying(lambda name: [done("somebody-else"), done(name)]),
        {"unknown_id"},
    ),
    "messages without an id beside the right one": (
        replying(lambda name: ['{"type": "notice"}', done(name)]),
        {"unknown_id"},
    ),
    "fragments": (in_fragments, set()),
    "binary beside the right one": (
        replying(lambda name: [b"\x00\x01", done(name)]),
        {"unexpected_binary"},
    ),
    "JSON that is no object": (replying(lambda name: ["[1, 2]", done(name)]), {"not_an_object"}),
}


@pytest.mark.parametrize(("handler", "stray"), ANSWERED.values(), ids=ANSWERED)
def test_right_replies_are_found_among_all_others(handler, stray):
    with chat_server(handler) as url:
        result = run_against(url)
    assert result.counted["message"].ok == result.counted["message"].scheduled > 0
    assert message_errors(result) == {}
    assert set(result.stray) == stray


UNANSWERED = {
    "a wrong id": (replying(lambda _: [done("somebody-else")]), {"unknown_id"}),
    "an id of another type": (replying(lambda _: ['{"type": "done", "id": 7}']), {"unknown_id"}),
    "invalid JSON": (replying(lambda _: ['{"type": "done", "id": ']), {"invalid_json"}),
    "JSON that is nested too deeply": (replying(lambda _: ["[" * 100_000]), {"invalid_json"}),
    "invalid UTF-8": (invalid_utf8, {"invalid_json"}),
    "binary where text was due": (replying(lambda name: [done(name).encode()]), {"unexpected_binary"}),
    "a reply after its time": (answering_after(0.35), {"late_reply"}),
    "a stream that never finishes": (never_finishing, {"late_reply"}),
    "silence": (deaf, set()),
}


@pytest.mark.parametrize(("handler", "stray"), UNANSWERED.values(), ids=UNANSWERED)
def test_what_is_no_right_reply_in_time_is_a_time_out(handler, stray):
    with chat_server(handler) as url:
        result = run_against(url, **SHORT)
    message = result.counted["message"]
    assert message.timed_out == message.scheduled > 0
    assert set(message_errors(result)) == {"timeout"}
    assert set(result.stray) == stray


def after_one_message(*, sending=b"", end=None):
    async def behave(reader, writer):
        await reader.read(1)
        writer.write(sending)
        if end is None:
            await reader.read()
        else:
            end(writer)

    return accepting(behave)


def close_frame(code):
    return b"\x88\x02" + code.to_bytes(2, "big")


LOST = {
    **{
        f"close {code}": (after_one_message(sending=close_frame(code)), f"close_{code}")
        for code in (1000, 1001, 1008, 1009, 1011, 1012, 1013, 4000)
    },
    "an end without a close": (after_one_message(end=lambda writer: writer.close()), "close_1006"),
    "a reset": (after_one_message(end=reset_on_close), "connection_reset"),
    "a violation of the protocol": (after_one_message(sending=b"\x83\x00"), "close_1002"),
    "a message that is too long": (
        after_one_message(sending=b"\x82\x7f" + (2**31).to_bytes(8, "big")),
        "close_1009",
    ),
}


@pytest.mark.parametrize(("behaviour", "error"), LOST.values(), ids=LOST)
def test_a_loss_fails_what_is_under_way_and_what_comes_after_it_by_its_name(behaviour, error):
    with raw_server(behaviour) as url:
        result = run_against(url, duration=20.0, ramp=0)  # nobody is lost before all have come
    assert set(message_errors(result)) == {error}
    assert result.lost == {error: 2}
    assert error in result.given_up


async def _never(reader, _writer):
    await reader.read()


async def _busy(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("behaviour", "error", "within"),
    [(_busy, "handshake_503", 5.0), (_never, "connect_timeout", 0.2)],
    ids=["503", "never"],
)
def test_who_cannot_connect_is_counted_by_its_name(behaviour, error, within):
    with raw_server(behaviour) as url:
        result = run_against(url, connect_timeout=within)
    connection = result.counted["connection"]
    assert connection.errors == {error: 2}
    assert (connection.scheduled, connection.ok) == (2, 0)
    assert result.counted["message"].ok == 0


def test_pings_by_the_thousand_keep_no_reply_from_coming():
    async def handler(websocket):
        async for text in websocket:
            websocket.transport.write(b"\x89\x01p" * 5000)
            await answer(websocket, text)

    with chat_server(handler) as url:
        result = run_against(url)
    assert result.counted["message"].ok == result.counted["message"].scheduled > 0
    assert message_errors(result) == {}


def test_messages_to_a_server_that_reads_nothing_are_held_back():
    async def behave(reader, _writer):
        reader._transport.pause_reading()
        await asyncio.sleep(HANG_SECONDS)

    with raw_server(accepting(behave)) as url:
        result = run_against(url, users=1, message="x" * 65_536, rate=400, **SHORT)
    message = result.counted["message"]
    assert set(message_errors(result)) == {"timeout", "congested"}
    assert message.skipped > 0
    assert message.skipped + message.timed_out == message.scheduled


def test_who_loses_a_connection_comes_again_and_is_counted():
    async def once_each(websocket):
        await answer(websocket, await websocket.recv())
        await websocket.close(1012)

    with chat_server(once_each) as url:
        result = run_against(url, reconnect=True, duration=2.0, lost_after=10.0)
    assert result.counted["connection"].ok == 2
    assert result.counted["reconnection"].ok >= 2
    assert result.lost == {"close_1012": result.counted["reconnection"].ok + 2}
    assert set(message_errors(result)) == {"close_1012"}
