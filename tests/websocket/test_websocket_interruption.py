"""An interrupted load test keeps what it measured, and says what is missing."""

import asyncio
import functools
import re
import threading

from processes import load_generators
from servers import answer, chat_server, polite
from test_websocket_generator import load

from nightbench.load.fleet import LocalCrew
from nightbench.plan import WebSocketPlan
from nightbench.websocket import shards
from nightbench.websocket.metrics import websocket_validity
from nightbench.websocket.result import WebSocketSpec
from nightbench.websocket.shards import run_shards


def when_draining(action):
    """As on_progress: `action` once the drain has begun."""
    return lambda progress: action() if progress.phase == "drain" else None


def test_an_interrupted_run_keeps_what_it_measured():
    stop = threading.Event()

    def after_a_second_of_measuring(progress):
        if progress.phase == "measure" and progress.p95_ms is not None:
            stop.set()

    with chat_server(polite) as url:
        result = load(url, duration=60, on_progress=after_a_second_of_measuring, stop=stop)
    validity = websocket_validity(result)
    assert not validity.complete
    assert "interrupted" in validity.reasons[0]
    assert result.counted["message"].ok > 0
    assert result.counted["message"].in_flight == 0


def test_interrupted_in_the_drain_it_ends_at_once_and_says_that_replies_are_missing():
    async def mute(websocket):
        async for _ in websocket:
            pass

    stop = threading.Event()
    with chat_server(mute) as url:
        result = load(url, timeout=3600, max_in_flight=1000, on_progress=when_draining(stop.set), stop=stop)
    message, validity = result.counted["message"], websocket_validity(result)
    assert message.in_flight == message.scheduled == 50
    assert result.phases.measured_seconds == 1.0
    assert not validity.complete
    assert (
        validity.reasons[0] == "incomplete after 1.0 s of measuring: interrupted before the last replies came"
    )


def test_interrupted_in_the_drain_it_is_complete_when_every_reply_still_came():
    stop = threading.Event()

    async def answers_when_interrupted(websocket):
        async for text in websocket:
            while not stop.is_set():  # noqa: ASYNC110  # set in another thread
                await asyncio.sleep(0.01)
            await answer(websocket, text)

    with chat_server(answers_when_interrupted, max_queue=None) as url:
        result = load(url, timeout=3600, max_in_flight=1000, on_progress=when_draining(stop.set), stop=stop)
    message = result.counted["message"]
    assert message.ok == message.scheduled == 50
    assert websocket_validity(result).complete


def test_a_load_test_one_of_whose_generators_was_stopped_ends_with_what_the_others_have(monkeypatch):
    hurried = functools.partial(shards.run_parts, patience=4.0)  # beside the time to the start
    monkeypatch.setattr(shards, "run_parts", hurried)
    generators = []

    def stop_one(_progress):
        if not generators:
            generators.extend(load_generators())
            generators[0].suspend()

    plan = WebSocketPlan(users=2, shards=2, duration=60, reconnect=False)
    with chat_server(polite) as url:
        spec = WebSocketSpec(plan, url, "test")
        crew = LocalCrew(2, 0.0)
        result = asyncio.run(run_shards(spec, crew=crew, on_progress=stop_one, stop=asyncio.Event()))
    assert re.search("shard [01]: the load generator has said nothing for", result.given_up)
    assert result.counted["connection"].ok == 1
    assert len(generators) == 2
    assert not any(generator.is_running() for generator in generators)
