"""The promises of the design that only a whole run can break, each on real sockets."""

import asyncio
import itertools
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from servers import accepting, answer, answering_after, chat_server, polite, raw_server
from test_websocket_generator import load, metric

from nightbench.load.phases import SECOND
from nightbench.websocket.conversation import Conversation
from nightbench.websocket.metrics import websocket_validity
from nightbench.websocket.script import Script

HANG_SECONDS = 30.0


async def deaf(websocket):
    async for _ in websocket:
        pass


@contextmanager
def ended_by_itself():
    """An event for `load`, which ends a run that hangs, and fails the test then."""
    stop = threading.Event()
    guard = threading.Timer(HANG_SECONDS, stop.set)
    guard.start()
    try:
        yield stop
    finally:
        guard.cancel()
    assert not stop.is_set()


def stalling(until, seconds):
    """As on_progress: the generator stands still for so long at the first report after `until` s."""
    due = iter([seconds])
    return lambda progress: time.sleep(next(due, 0)) if progress.elapsed >= until else None


# nothing vanishes


def test_no_more_are_under_way_than_a_user_may_have():
    with chat_server(deaf) as url:
        result = load(url, users=1, rate=20, max_in_flight=3, timeout=4)
    counted, before = result.counted["message"], result.uncounted["message"]
    assert counted.timed_out + before.timed_out == 3
    assert counted.skipped == counted.scheduled == 20


def test_in_the_closed_model_a_lost_user_that_does_not_think_is_not_all_that_is_done():
    doomed = itertools.cycle([True, False])

    async def half_of_them_die(websocket):
        await answer(websocket, await websocket.recv())
        if next(doomed):
            await websocket.close(1011)
        await polite(websocket)

    with chat_server(half_of_them_die) as url:
        result = load(url, users=2, model="closed", think=0, rate=None)
    message = result.counted["message"]
    assert 0 < message.failed <= 11  # one user, each 100 ms
    assert message.ok > message.failed


def test_in_the_closed_model_a_user_goes_on_when_the_subject_reads_again_or_not():
    async def reads_nothing(reader, _writer):
        reader._transport.pause_reading()
        await asyncio.sleep(HANG_SECONDS)

    plan = {
        "model": "closed",
        "think": 0,
        "timeout": 0.1,
        "messages": [{"name": "long", "text": '{"id": "${id}"}' + " " * 1_000_000}],
    }
    with raw_server(accepting(reads_nothing)) as url:
        result = load(url, users=1, rate=None, duration=2, **plan)
    message = result.counted["message"]
    assert set(message.errors) <= {"timeout", "congested"}
    assert message.errors["congested"] > 5


def test_a_handshake_that_never_ends_ends_with_an_interrupted_run_and_is_counted():
    async def never(reader, _writer):
        await reader.read()

    stop = threading.Event()
    with raw_server(never) as url:
        result = load(url, users=2, connect_timeout=3600, on_progress=lambda _: stop.set(), stop=stop)
    connection = result.counted["connection"]
    assert connection.errors == {"cancelled": 2}
    assert (connection.scheduled, connection.in_flight) == (2, 0)


# failures


def test_a_handshake_that_timed_out_counts_against_the_percentiles_of_connecting():
    async def never(reader, _writer):
        await reader.read()

    with raw_server(never) as url:
        result = load(url, users=20, connect_timeout=0.3)
    assert result.counted["connection"].timed_out == 20
    assert metric(result, "connection.time.min") >= 300


def test_what_a_user_cannot_say_for_want_of_an_answer_to_its_greeting_has_failed():
    greeting = {"name": "hello", "body": {"type": "hello", "id": "${id}"}}
    with chat_server(deaf) as url:
        result = load(url, rate=50, timeout=0.1, greeting=greeting)
    message = result.counted["message"]
    assert message.ok == 0
    assert message.failures == message.scheduled == 50


def test_a_reply_after_its_time_is_late_whenever_somebody_looks():
    with chat_server(answering_after(0.105)) as url:
        result = load(url, timeout=0.1)
    assert result.counted["message"].timed_out == result.counted["message"].scheduled == 50


def test_nothing_is_said_before_the_answer_to_the_greeting():
    heard, answered = {}, {}

    async def slow_to_greet(websocket):
        async def greet(text):
            await asyncio.sleep(0.4)
            answered[websocket] = time.perf_counter()
            await answer(websocket, text)

        greeted = asyncio.create_task(greet(await websocket.recv()))
        async for text in websocket:  # meanwhile it reads on
            heard.setdefault(websocket, time.perf_counter())
            await answer(websocket, text)
        await greeted

    greeting = {"name": "hello", "body": {"type": "hello", "id": "${id}"}}
    with chat_server(slow_to_greet) as url:
        load(url, users=3, rate=150, greeting=greeting)
    assert len(heard) == 3
    assert all(heard[websocket] > answered[websocket] for websocket in heard)


@pytest.mark.parametrize(("of", "method"), [(Script, "compose"), (Conversation, "receive")])
def test_what_goes_wrong_inside_ends_the_run_and_is_told(monkeypatch, of, method):
    def broken(*_):
        msg = "an error of ours"
        raise ZeroDivisionError(msg)

    monkeypatch.setattr(of, method, broken)
    with (
        chat_server(polite) as url,
        ended_by_itself() as stop,
        pytest.raises(ZeroDivisionError, match="an error of ours"),
    ):
        load(url, stop=stop)


def test_whoever_watches_may_fail_too():
    def broken(_progress):
        msg = "nobody listens"
        raise BrokenPipeError(msg)

    with chat_server(polite) as url, pytest.raises(BrokenPipeError, match="nobody listens"):
        load(url, on_progress=broken)


# phases


def test_what_was_due_in_the_warm_up_does_not_count_however_late_it_was_sent():
    with chat_server(polite) as url:
        # the measure phase begins 1.2 s after the start, amid the stall
        result = load(url, warmup=1.2, duration=2, on_progress=stalling(1.0, 0.6))
    assert result.counted["message"].scheduled == 100


def test_the_windows_of_a_run_begin_with_its_measure_phase():
    with chat_server(polite) as url:
        result = load(url, warmup=1.4, duration=1)
    windows = [window for times in result.times for window in times.windows()]
    assert {window.second for window in windows if window.operation == "message"} == {0}
    assert {window.second for window in windows if window.quantity == "time"} == {-2}
    response = [window.n for window in windows if window.quantity == "response_time"]
    assert response == [result.counted["message"].ok] == [50]


def test_only_the_measure_phase_is_looked_at_for_health():
    with chat_server(polite) as url:
        result = load(url, warmup=3.0)
    # of about 1 s; from the start of the ramp it would be 4
    assert 0.5 < result.health.wall_seconds < 2.5
    assert result.health.tick_lag.n < 50  # 20 a second


def test_the_drain_ends_when_nothing_is_under_way():
    with chat_server(polite) as url, ended_by_itself() as stop:
        result = load(url, timeout=3600, stop=stop)
    assert result.counted["message"].ok == 50


def test_a_late_reply_is_waited_for_to_the_end_of_its_time():
    with chat_server(answering_after(1.0)) as url:
        result = load(url)
    assert result.counted["message"].ok == 50


def test_who_is_still_being_connected_when_the_run_ends_is_waited_for():
    async def slow(_connection, _request):
        await asyncio.sleep(1.0)

    with chat_server(polite, process_request=slow) as url:
        result = load(url, users=1, warmup=0, duration=0.2, timeout=0.1)
    assert result.counted["connection"].ok == 1


# health


def test_who_connects_late_for_want_of_time_is_told_apart_from_the_subject():
    with chat_server(polite) as url:
        result = load(url, users=40, ramp=1.8, on_progress=stalling(1.0, 0.5))
    assert metric(result, "connection.send_lag.max") > 200
    # one or two were shaking hands when it stood still, and took as long as that themselves
    assert metric(result, "connection.time.p95") < metric(result, "connection.send_lag.p95")
    assert any("connects were late" in reason for reason in websocket_validity(result).reasons)


# clocks


def test_the_wall_clock_is_read_once_and_may_be_set_meanwhile(monkeypatch):
    reads = []

    def set_again_and_again(read):
        def clock():
            caller = sys._getframe(1).f_globals.get("__name__", "")
            if not caller.startswith("nightbench"):
                return read()
            reads.append(caller)
            return read() - (len(reads) - 1) * 3600 * (SECOND if read is wall_ns else 1)

        return clock

    wall_ns, wall = time.time_ns, time.time
    monkeypatch.setattr(time, "time_ns", set_again_and_again(wall_ns))
    monkeypatch.setattr(time, "time", set_again_and_again(wall))
    with chat_server(polite) as url, ended_by_itself() as stop:
        result = load(url, stop=stop)
    assert reads == ["nightbench.load.shard"]
    assert result.counted["message"].ok == 50
    assert 0 < result.health.wall_seconds < HANG_SECONDS
