"""Who loses its connection comes back, and it is counted."""

import asyncio
import itertools
import json
import time
from contextlib import suppress

import pytest
from servers import answer, chat_server, polite
from test_websocket_generator import load, metric

from nightbench.load import backoff
from nightbench.load.backoff import pause_ns
from nightbench.plan import WebSocketPlan
from nightbench.websocket import connections
from nightbench.websocket.generator import run_generator
from nightbench.websocket.metrics import websocket_validity
from nightbench.websocket.provisions import load_provisions
from nightbench.websocket.result import WebSocketSpec


def test_who_lost_its_connection_comes_back_and_goes_on():
    served = itertools.count()

    async def drops_the_first_five(websocket):
        if next(served) < 5:
            await answer(websocket, await websocket.recv())
            await websocket.close(1012)
        await polite(websocket)

    with chat_server(drops_the_first_five) as url:
        result = load(url, users=5, rate=50, duration=3, reconnect=True)
    assert result.lost == {"close_1012": 5}
    reconnection = result.counted["reconnection"]
    assert (reconnection.scheduled, reconnection.ok) == (5, 5)
    assert result.counted["connection"].scheduled == 5
    assert metric(result, "connection.downtime.max") > 200  # the least pause before a new attempt
    assert metric(result, "connection.connected_users") == 5
    # its schedule went on meanwhile: what was due then failed, what was due later did not
    messages = result.counted["message"] + result.uncounted["message"]
    assert set(messages.errors) == {"close_1012"}
    assert messages.ok > 50


def test_a_server_that_is_gone_for_a_while_is_met_by_fewer_and_fewer_attempts():
    attempts = itertools.count()
    refusing = iter([False] * 5 + [True] * 8)

    def gate(connection, _request):
        next(attempts)
        return connection.respond(503, "starting") if next(refusing, False) else None

    async def drops_everybody_once(websocket):
        if websocket.request.headers.get("x-first") is None and next(drops, False):
            await websocket.recv()
            await websocket.close(1001)
        await polite(websocket)

    drops = iter([True] * 5)
    with chat_server(drops_everybody_once, process_request=gate) as url:
        result = load(url, users=5, rate=50, duration=4, reconnect=True, lost_after=30)
    reconnection = result.counted["reconnection"]
    assert reconnection.errors == {"handshake_503": 8}
    assert reconnection.ok == 5
    assert metric(result, "reconnection.success_rate") == 100 * 5 / 13
    assert websocket_validity(result).complete


def test_a_first_attempt_that_failed_is_a_failed_connection_and_the_user_comes_later():
    refusing = iter([True] * 3)

    def gate(connection, _request):
        return connection.respond(429, "slow down") if next(refusing, False) else None

    with chat_server(polite, process_request=gate) as url:
        result = load(url, users=5, duration=2, reconnect=True)
    assert result.counted["connection"].errors == {"handshake_429": 3}
    assert result.counted["reconnection"].ok == 3
    assert metric(result, "connection.connected_users") == 5
    assert metric(result, "connection.success_rate") == 40


def test_a_user_that_comes_back_greets_again_and_says_nothing_else_before_that_is_answered():
    said, early = [], []
    drops = iter([True] * 3)

    async def greets(websocket):
        first = await websocket.recv()
        said.append(json.loads(first)["type"])
        with suppress(TimeoutError):
            early.append(await asyncio.wait_for(websocket.recv(), 0.2))
        await answer(websocket, first)
        if next(drops, False):
            await websocket.recv()
            await websocket.close(1011)
        await polite(websocket)

    greeting = {"name": "hello", "body": {"type": "hello", "id": "${id}"}}
    with chat_server(greets) as url:
        result = load(url, users=3, rate=30, duration=3, reconnect=True, greeting=greeting)
    assert said == ["hello"] * 6
    assert early == []
    assert result.counted["greeting"].ok == 6
    assert metric(result, "greeting.success_rate") == 100
    assert metric(result, "greeting.time.min") > 180
    message = result.counted["message"]
    assert message.scheduled == 90
    # what is due while it is away, or waits for the answer to its greeting, fails and says why
    assert set((message + result.uncounted["message"]).errors) == {"close_1011", "not_greeted"}


def test_who_is_not_greeted_well_says_nothing_and_it_is_told():
    heard = []

    async def refuses(websocket):
        async for text in websocket:
            heard.append(json.loads(text)["type"])
            await websocket.send(json.dumps({"type": "error", "id": json.loads(text)["id"]}))

    greeting = {"name": "hello", "body": {"type": "hello", "id": "${id}"}}
    with chat_server(refuses) as url:
        result = load(url, users=3, rate=30, greeting=greeting)
    assert heard == ["hello"] * 3
    assert result.counted["greeting"].errors == {"reply_error": 3}
    assert result.counted["message"].errors == {"not_greeted": 30}


def test_the_rate_of_connections_is_that_of_the_first_ones():
    drops = iter([True])

    async def drops_one_late(websocket):
        async for text in websocket:
            await answer(websocket, text)
            if json.loads(text)["id"].endswith("-3") and next(drops, False):
                await websocket.close(1011)

    with chat_server(drops_one_late) as url:
        result = load(url, users=10, ramp=0.2, rate=20, duration=3, reconnect=True)
    assert result.counted["reconnection"].ok == 1
    assert metric(result, "connection.rate") > 10  # of 10 in 0.2 s; the late one came after 1.3 s at least


def test_at_the_end_of_the_run_nobody_is_still_trying():
    async def closes(websocket):
        await websocket.close(1013)

    with chat_server(closes) as url:
        result = load(url, users=5, duration=1, reconnect=True, lost_after=30)
    assert result.counted["reconnection"].in_flight == 0


REFUSING = "refused"
CLOSING = "let in and lost at once"


@pytest.mark.parametrize("behaviour", [REFUSING, CLOSING])
def test_pauses_grow_from_attempt_to_attempt_and_each_user_has_its_own(behaviour):
    ends, pauses = {}, {}

    def note(connection, request):
        user, now = request.headers["X-User"], time.perf_counter_ns()
        if user in ends:
            pauses.setdefault(user, []).append(now - ends[user])
        ends[user] = time.perf_counter_ns()
        return connection.respond(503, "busy") if behaviour is REFUSING else None

    async def close(websocket):
        ends[websocket.request.headers["X-User"]] = time.perf_counter_ns()
        await websocket.close(1013)

    with chat_server(close, process_request=note) as url:
        plan = WebSocketPlan(
            users=4, duration=4, ramp=0.1, warmup=0, lost_after=30, headers={"X-User": "${user}"}
        )
        run_generator(WebSocketSpec(plan, url, "test", asyncio.run(load_provisions(plan, None))))
    for user, seen in pauses.items():
        # what waits for a busy machine comes late, never early
        assert [pause >= pause_ns(attempt, user=int(user), seed=1) for attempt, pause in enumerate(seen)] == [
            True
        ] * len(seen)
    assert len(pauses) == 4
    assert min(map(len, pauses.values())) >= 2


def test_after_a_good_connection_the_pauses_begin_anew(monkeypatch):
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.1)
    monkeypatch.setattr(connections, "RECOVERED_SECONDS", 0.1)

    async def closes_after_a_while(websocket):
        await asyncio.sleep(0.2)
        await websocket.close(1012)

    with chat_server(closes_after_a_while, max_queue=None) as url:
        result = load(url, users=1, duration=2.2, reconnect=True, lost_after=30)
    # each 300 ms; were each pause twice the one before it, the sixth would end after the run
    assert result.counted["reconnection"].ok > 5


def test_a_subject_that_comes_back_each_time_is_not_lost(monkeypatch):
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.2)
    lives = iter([True, True])

    async def dies_twice(websocket):
        if next(lives, False):
            await asyncio.sleep(1.0)
            await websocket.close(1012)
        await polite(websocket)

    with chat_server(dies_twice, max_queue=None) as url:  # so that it hears at once that the client goes
        # alone for less than half a second each time, and for the second time 1.1 s after the first
        result = load(url, users=1, duration=2.5, reconnect=True, lost_after=1.0)
    assert result.lost == {"close_1012": 2}
    assert result.given_up is None


def test_who_was_never_connected_was_not_away():
    refusals = iter([True])

    def gate(connection, _request):
        return connection.respond(503, "starting") if next(refusals, False) else None

    with chat_server(polite, process_request=gate) as url:
        result = load(url, users=2, reconnect=True)
    assert result.counted["reconnection"].ok == 1
    totals = {name: total for times in result.times for name, total in times.totals.items()}
    assert totals["connection.downtime"].total == 0


def test_what_is_due_meanwhile_fails_with_the_reason_why_there_is_no_connection():
    """First the loss, then what kept the user from coming back."""
    lets_in = iter([True])

    def gate(connection, _request):
        return None if next(lets_in, False) else connection.respond(503, "busy")

    async def closes(websocket):
        await websocket.recv()
        await websocket.close(1012)

    with chat_server(closes, process_request=gate) as url:
        result = load(url, users=1, rate=50, duration=1.5, reconnect=True, lost_after=30)
    messages = result.counted["message"] + result.uncounted["message"]
    assert set(messages.errors) == {"close_1012", "handshake_503"}
