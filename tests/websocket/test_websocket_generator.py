"""The promises of the WebSocket load generator, against real servers."""

import itertools
import json
import re
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from servers import answer, chat_server, polite, raw_server
from websockets.utils import accept_key

from nightbench.plan import WebSocketPlan
from nightbench.websocket import generator
from nightbench.websocket.generator import run_generator
from nightbench.websocket.messages import Messages
from nightbench.websocket.metrics import websocket_metrics, websocket_validity
from nightbench.websocket.result import WebSocketSpec


def load(url, *, on_progress=lambda _: None, stop=None, **plan):
    # ramp, warm-up, time-out and limit in flight are such that a pause of the machine makes no message late or
    # lost, unless it is a long one in the very moment in which users connect
    numbers = {
        "users": 5,
        "duration": 1.0,
        "ramp": 0.02,
        "warmup": 0.7,
        "rate": 50,
        "timeout": 5.0,
        "max_in_flight": 1000,
        "reconnect": False,
        "lost_after": 2.0,
        **plan,
    }
    spec = WebSocketSpec(WebSocketPlan(**numbers), url, "test")
    result = run_generator(spec, on_progress, stop or threading.Event())
    for accounts in (result.counted, result.uncounted):
        for operation, counts in accounts.items():
            counts.check(operation)
    return result


def metric(result, name):
    return next(item.value for item in websocket_metrics(result) if item.name == name)


def test_what_is_counted_is_what_the_server_saw():
    seen = {"connections": 0, "messages": 0}

    async def counting(websocket):
        seen["connections"] += 1
        async for text in websocket:
            seen["messages"] += 1
            await answer(websocket, text)

    with chat_server(counting) as url:
        result = load(url, users=20)
    message, warm_up = result.counted["message"], result.uncounted["message"]
    assert result.counted["connection"].ok == seen["connections"] == 20
    assert message.ok + warm_up.ok == seen["messages"]
    assert message.scheduled == message.ok == 50
    assert warm_up.scheduled > 0
    assert websocket_validity(result).complete
    # 50 in the second that was measured, or by the time the last of them was answered
    assert 10 < metric(result, "message.throughput") <= 50
    assert metric(result, "connection.connected_users") == 20


def test_a_time_out_counts_against_the_percentiles():
    async def deaf(websocket):
        async for _ in websocket:
            pass

    with chat_server(deaf) as url:
        result = load(url, users=20, rate=50, timeout=0.5, max_in_flight=100)
    message = result.counted["message"]
    assert message.timed_out == message.scheduled == 50
    assert message.errors == {"timeout": 50}
    assert metric(result, "message.response_time.p95") >= 500


def test_failures_have_a_class_and_a_time_but_do_not_flatter_the_percentiles():
    async def failing(websocket):
        async for text in websocket:
            message = json.loads(text)
            await websocket.send(json.dumps({"type": "error", "id": message["id"], "detail": "no"}))

    with chat_server(failing) as url:
        result = load(url)
    assert result.counted["message"].errors == {"reply_error": 50}
    assert metric(result, "message.success_rate") == 0
    assert metric(result, "message.failure_time.p50") is not None
    assert metric(result, "message.response_time.p95") is None


def test_stray_replies_are_counted_and_never_taken_for_right_ones():
    async def confused(websocket):
        async for text in websocket:
            await answer(websocket, json.dumps({"id": "somebody-else"}))
            await answer(websocket, text)
            await answer(websocket, text)

    with chat_server(confused) as url:
        result = load(url)
    sent = result.counted["message"].ok + result.uncounted["message"].ok
    assert result.stray["unknown_id"] == 2 * sent
    assert result.stray["duplicate_reply"] >= 2 * sent - 10


def test_refused_handshakes_are_failed_connections():
    refusals = iter([True, False] * 10)

    def gate(connection, _request):
        return connection.respond(503, "busy") if next(refusals) else None

    with chat_server(polite, process_request=gate) as url:
        result = load(url, users=20)
    connection = result.counted["connection"]
    assert (connection.scheduled, connection.ok, connection.failed) == (20, 10, 10)
    assert connection.errors == {"handshake_503": 10}
    assert metric(result, "connection.success_rate") == 50
    assert metric(result, "connection.connected_users") == 10
    assert metric(result, "connection.failure_time.p50") > 0


def test_after_a_lost_connection_what_is_due_fails_with_the_class_of_the_loss():
    doomed = itertools.cycle([True, False])

    async def half_of_them_die(websocket):
        await answer(websocket, await websocket.recv())
        if next(doomed):
            await websocket.close(1011)
        async for text in websocket:
            await answer(websocket, text)

    with chat_server(half_of_them_die) as url:
        result = load(url, users=20, rate=200)
    errors = result.counted["message"].errors + result.uncounted["message"].errors
    assert set(errors) == {"close_1011"}
    assert errors["close_1011"] > 50  # far more than what was under way
    assert result.lost == {"close_1011": 10}
    assert metric(result, "connection.lost") == 10


def test_a_subject_that_is_lost_ends_the_run_as_incomplete():
    async def dying(websocket):
        await answer(websocket, await websocket.recv())
        await websocket.close(1012)

    with chat_server(dying) as url:
        result = load(url, duration=60)
    validity = websocket_validity(result)
    assert not validity.complete
    assert "the subject was lost: every connection ended (close_1012)" in validity.reasons[0]
    assert result.phases.measured_seconds < 10


def test_a_subject_that_lets_nobody_stay_is_lost_too():
    async def close_with_the_handshake(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", head)[1].decode()
        answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        close_frame = b"\x88\x02" + (1008).to_bytes(2, "big")
        writer.write(f"{answer}Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode() + close_frame)
        await writer.drain()

    with raw_server(close_with_the_handshake) as url:
        result = load(url, duration=60)
    assert "every connection ended (close_1008)" in websocket_validity(result).reasons[0]


def test_progress_tells_phase_users_and_rate(monkeypatch):
    seen, ended, ended_by = [], [], []

    class Watched(Messages):
        def receive(self, user, payload, binary):
            super().receive(user, payload, binary)
            if json.loads(payload)["type"] == "done":
                ended.append(payload)

    def look(progress):
        seen.append(progress)
        ended_by.append(len(ended))

    monkeypatch.setattr(generator, "Messages", Watched)
    with chat_server(polite) as url:
        load(url, duration=2.0, on_progress=look)
    assert seen[-1].phase in ("measure", "drain")
    assert seen[0].active == 5
    assert all(report.suite == "websocket" and report.failed == 0 for report in seen)
    assert seen[1].rate == ended_by[1] - ended_by[0] > 0


def test_a_generator_that_stalls_is_found_out_and_its_lateness_is_response_time():
    def hog(_progress):
        time.sleep(0.25)

    with chat_server(polite) as url:
        result = load(url, duration=3, on_progress=hog)
    validity = websocket_validity(result)
    assert validity.complete
    assert any("clock ticks were late" in reason for reason in validity.reasons)
    assert metric(result, "message.send_lag.max") > 150
    lag = metric(result, "message.response_time.mean") - metric(result, "message.service_time.mean")
    assert lag == pytest.approx(metric(result, "message.send_lag.mean"), rel=0.01)
    assert result.counted["message"].scheduled == 150


def test_connections_that_this_machine_could_not_make_are_no_fault_of_the_subject():
    with chat_server(polite) as url:
        result = load(url, duration=0.5)
    result.counted["connection"].errors["connect_emfile"] = 3
    assert any("ulimit -n" in reason for reason in websocket_validity(result).reasons)


def test_the_wall_clock_anchor_is_the_start_of_the_ramp():
    before = datetime.now(UTC)
    with chat_server(polite) as url:
        result = load(url, duration=0.5)
    assert before <= result.started_at
    assert datetime.now(UTC) - result.started_at >= timedelta(seconds=0.5)


def test_what_was_sent_late_is_waited_for_all_the_same():
    async def mute(websocket):
        async for _ in websocket:
            pass

    def pause(progress):
        if progress.elapsed > 1.5:
            time.sleep(0.6)  # over the end of the measure phase and over the time-out

    with chat_server(mute) as url:
        result = load(url, duration=1.4, timeout=0.3, on_progress=pause)
    message = result.counted["message"]
    assert message.in_flight == 0
    assert message.timed_out + message.skipped == message.scheduled == 70
