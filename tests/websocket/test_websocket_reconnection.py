"""Who loses its connection comes back, and it is counted."""

import itertools
import json

from servers import answer, chat_server, polite
from test_websocket_generator import load, metric

from nightbench.websocket.metrics import websocket_validity


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


def test_a_user_that_comes_back_greets_again_and_goes_on_with_its_schedule():
    greeted = []
    drops = iter([True] * 3)

    async def greets(websocket):
        first = await websocket.recv()
        greeted.append(json.loads(first)["type"])
        await answer(websocket, first)
        if next(drops, False):
            await websocket.recv()
            await websocket.close(1011)
        await polite(websocket)

    greeting = {"name": "hello", "body": {"type": "hello", "id": "${id}"}}
    with chat_server(greets) as url:
        result = load(url, users=3, rate=30, duration=3, reconnect=True, greeting=greeting)
    assert greeted == ["hello"] * 6
    assert result.counted["message"].scheduled == 90


def test_at_the_end_of_the_run_nobody_is_still_trying():
    async def closes(websocket):
        await websocket.close(1013)

    with chat_server(closes) as url:
        result = load(url, users=5, duration=1, reconnect=True, lost_after=30)
    assert result.counted["reconnection"].in_flight == 0
