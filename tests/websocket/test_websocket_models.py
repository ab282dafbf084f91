"""When the open and the closed model send: on a schedule, or after a reply."""

import asyncio
import itertools

from servers import answer, answering_in_turn, chat_server
from test_websocket_generator import load, metric


def noting(told, seconds):
    """Answers each message so much later, reading on meanwhile; takes down for each connection what came when."""

    async def handler(websocket):
        events, replies = told.setdefault(websocket, []), set()

        async def later(text):
            await asyncio.sleep(seconds)
            events.append("answered")
            await answer(websocket, text)

        async for text in websocket:
            events.append("asked")
            replies.add(asyncio.create_task(later(text)))

    return handler


def test_the_open_model_sends_on_schedule_whatever_the_replies_do():
    told = {}
    with chat_server(noting(told, 0.3)) as url:
        result = load(url, users=1, rate=20)
    assert result.counted["message"].scheduled == result.counted["message"].ok == 20
    assert metric(result, "message.response_time.min") >= 299
    (events,) = told.values()
    assert ("asked", "asked") in itertools.pairwise(events)


def test_the_closed_model_waits_for_the_reply():
    told = {}
    with chat_server(noting(told, 0.2)) as url:
        result = load(url, users=2, model="closed", think=0.05, rate=None)
    # two users, each once in 250 ms and no more often
    assert 0 < result.counted["message"].scheduled <= 10
    assert len(told) == 2
    for events in told.values():
        assert events == ["asked", "answered"] * (len(events) // 2)
        assert len(events) >= 4


def test_past_the_limit_in_flight_sends_are_skipped_and_counted():
    async def deaf(websocket):
        async for _ in websocket:
            pass

    with chat_server(deaf) as url:
        result = load(url, users=1, rate=20, max_in_flight=3, timeout=1)
    message = result.counted["message"]
    assert message.skipped > 0
    assert message.errors["in_flight_limit"] == message.skipped
    assert message.skipped + message.timed_out == message.scheduled


def test_throughput_is_what_the_subject_did_not_what_it_was_asked():
    with chat_server(answering_in_turn(0.05)) as url:
        result = load(url, users=1, rate=40, max_in_flight=1000, timeout=30)
    assert result.counted["message"].ok == 40
    assert metric(result, "message.throughput") < 25


def test_in_the_closed_model_a_lost_user_goes_on_failing():
    async def one_each(websocket):
        await answer(websocket, await websocket.recv())
        await answer(websocket, await websocket.recv())
        if next(doomed):
            await websocket.close(1011)
        async for text in websocket:
            await answer(websocket, text)

    doomed = itertools.cycle([True, False])
    with chat_server(one_each) as url:
        result = load(url, users=10, model="closed", think=0.1, rate=None, duration=1.5)
    failed, ok = result.counted["message"].failed, result.counted["message"].ok
    assert failed > 0.5 * ok


def test_in_the_closed_model_a_user_lost_in_mid_message_goes_on_failing():
    async def dies_unanswered(websocket):
        await answer(websocket, await websocket.recv())
        await websocket.recv()
        if next(doomed):
            await websocket.close(1011)
        async for text in websocket:
            await answer(websocket, text)

    doomed = itertools.cycle([True, False])
    with chat_server(dies_unanswered) as url:
        result = load(url, users=10, model="closed", think=0.1, rate=None, duration=1.5, timeout=0.3)
    assert result.counted["message"].errors["close_1011"] > 15  # no more than five were under way
