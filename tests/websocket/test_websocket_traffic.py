"""What users say, when, and how long the parts of it take: whole load tests against real servers."""

import asyncio
import gc
import itertools
import json
import statistics
import time

import pytest
from servers import answer, answering_in_turn, chat_server, polite, raw_server
from test_websocket_generator import load, metric

from nightbench.load.phases import SECOND
from nightbench.load.schedule import think_ns
from nightbench.websocket.user import User


def recording(heard, reply=answer):
    """A server that keeps what it hears as (instant, path of arrival order, message)."""

    async def handler(websocket):
        async for text in websocket:
            heard.append((time.perf_counter(), websocket, json.loads(text)))
            await reply(websocket, text)

    return handler


def test_chunks_have_a_first_a_last_and_gaps_between_them():
    async def streaming(websocket):
        async for text in websocket:
            message_id = json.loads(text)["id"]
            for _ in range(3):
                await asyncio.sleep(0.05)
                await websocket.send(json.dumps({"type": "chunk", "id": message_id}))
            await asyncio.sleep(0.05)
            await websocket.send(json.dumps({"type": "done", "id": message_id}))

    with chat_server(streaming) as url:
        result = load(url, users=10, rate=30)
    assert result.counted["message"].ok == 30
    assert metric(result, "message.chunks.mean") == 3
    # the server pauses at least so long; each later part of a reply comes so much later
    assert metric(result, "message.first_chunk_time.min") > 45
    assert metric(result, "message.last_chunk_time.min") > 145
    assert metric(result, "message.service_time.min") > 195
    assert metric(result, "message.chunk_gap.p50") > 45
    gaps = next(
        times.totals["message.chunk_gap"] for times in result.times if "message.chunk_gap" in times.totals
    )
    assert gaps.n == 2 * 30
    bytes_of_a_reply = metric(result, "message.reply_bytes.mean")
    assert 3 * len('{"type": "chunk", "id": ""}') < bytes_of_a_reply < 400


def test_kinds_of_messages_have_accounts_and_times_of_their_own_which_add_up():
    heard = []
    kinds = [
        {"name": "question", "weight": 3, "body": {"id": "${id}", "type": "question", "n": "${sequence}"}},
        {"name": "ping", "weight": 1, "text": '{"id": "${id}", "type": "ping"}'},
    ]
    with chat_server(recording(heard)) as url:
        result = load(url, users=4, rate=200, messages=kinds)
    question, ping = (result.counted[f"message[{kind}]"] for kind in ("question", "ping"))
    assert question + ping == result.counted["message"]
    assert 100 < question.ok < 190 < question.ok + ping.ok == 200
    assert metric(result, "message[ping].response_time.p50") > 0
    counted_or_not = result.uncounted["message[ping]"].ok + ping.ok
    assert sum(message["type"] == "ping" for _, _, message in heard) == counted_or_not


def test_a_greeting_comes_first_and_its_answer_is_waited_for():
    heard = []

    async def slow_to_greet(websocket, text):
        if json.loads(text)["type"] == "hello":
            await asyncio.sleep(0.2)
        await answer(websocket, text)

    greeting = {"name": "hello", "body": {"type": "hello", "id": "${id}", "user": "${user}"}}
    with chat_server(recording(heard, slow_to_greet)) as url:
        result = load(url, users=3, rate=60, greeting=greeting)
    by_connection = {}
    for at, connection, message in heard:
        by_connection.setdefault(connection, []).append((at, message["type"]))
    assert [kinds[0][1] for kinds in by_connection.values()] == ["hello"] * 3
    assert all(kind == "chat" for messages in by_connection.values() for _, kind in messages[1:])
    assert all(messages[1][0] - messages[0][0] >= 0.2 for messages in by_connection.values())
    assert result.counted["message"].ok == 60
    answered = result.counted["message"].ok + result.uncounted["message"].ok
    assert answered + result.counted["greeting"].ok == len(heard)


def test_in_the_closed_model_pacing_keeps_messages_apart_from_start_to_start():
    heard = []
    with chat_server(recording(heard)) as url:
        load(url, users=1, model="closed", rate=None, think=0, pacing=0.2, duration=1.5)
    instants = [at for at, _, _ in heard]
    # of two, the first may have waited for a busy machine and the second not: most are as far apart as they should
    assert statistics.median(later - earlier for earlier, later in itertools.pairwise(instants)) > 0.1
    assert len(heard) <= 13


def test_without_thinking_the_next_message_follows_at_once():
    with chat_server(polite) as url:
        result = load(url, users=2, model="closed", rate=None, think=0, duration=1.0)
    busy = metric(result, "message.service_time.mean") * result.counted["message"].ok / 2
    assert busy > 500  # of 1000 ms of each user: hardly a pause between a reply and the next message


def test_poisson_arrivals_are_as_many_as_the_rate_says_and_not_evenly_spaced():
    with chat_server(polite) as url:
        result = load(url, users=10, rate=200, arrivals="poisson", duration=2, seed=3)
        again = load(url, users=10, rate=200, arrivals="poisson", duration=2, seed=3)
    scheduled = result.counted["message"].scheduled
    assert 320 < scheduled < 480  # 400 ± 4 standard deviations
    assert scheduled != 400
    assert abs(again.counted["message"].scheduled - scheduled) < 40  # users join when they are connected


def test_a_rate_profile_changes_the_rate_over_the_run():
    heard = []
    profile = [{"at": 0, "rate": 20}, {"at": 1, "rate": 20}, {"at": 1, "rate": 200}]
    with chat_server(recording(heard)) as url:
        result = load(url, users=10, rate=None, rate_profile=profile, duration=2)
    assert result.counted["message"].scheduled == pytest.approx(220, abs=2)


@pytest.mark.parametrize(("shape", "groups"), [("spike", 1), ("steps", 4)])
def test_users_come_all_at_once_or_in_groups(shape, groups):
    arrivals = []

    async def counting(websocket):
        arrivals.append(time.perf_counter())
        await polite(websocket)

    with chat_server(counting) as url:
        result = load(url, users=20, ramp=2.0, ramp_shape=shape, ramp_steps=4, duration=0.5)
    assert result.counted["connection"].ok == 20
    pauses = sum(later - earlier > 0.25 for earlier, later in itertools.pairwise(sorted(arrivals)))
    assert pauses == groups - 1


def test_replies_by_order_need_no_id_and_no_json():
    async def echo(websocket):
        async for payload in websocket:
            await websocket.send(payload)

    rules = {"match": "order", "format": "raw", "done": None, "error": None}
    kinds = [{"name": "bytes", "binary": "AAEC/w=="}, {"name": "words", "text": "hello ${user}"}]
    with chat_server(echo) as url:
        result = load(url, reply=rules, messages=kinds)
    assert result.counted["message"].ok == 50
    assert not result.stray


def test_who_connects_late_does_not_send_what_was_due_before():
    with chat_server(polite) as url:
        result = load(url, users=2, ramp=1.0, rate=100)
    # the first user has 50 in each of the 1.7 s before the measure phase, the second half a second less
    assert 0 < result.uncounted["message"].scheduled <= 145 + 1
    assert result.counted["message"].scheduled == 100


def test_who_comes_back_goes_on_with_the_one_schedule_that_it_had():
    drops = iter([True] * 5)

    async def drops_everybody_once(websocket):
        await answer(websocket, await websocket.recv())
        if next(drops, False):
            await websocket.close(1012)
        await polite(websocket)

    with chat_server(drops_everybody_once) as url:
        result = load(url, users=5, rate=50, duration=2, reconnect=True)
    assert result.counted["reconnection"].ok == 5
    assert result.counted["message"].scheduled == 100


def test_a_user_thinks_after_the_reply_for_as_long_as_was_drawn_for_it():
    heard = {}

    async def slow(websocket):
        async for text in websocket:
            await asyncio.sleep(0.1)
            heard.setdefault(json.loads(text)["user"], []).append(time.perf_counter_ns())
            await answer(websocket, text)

    by_user = [{"name": "chat", "body": {"type": "chat", "id": "${id}", "user": "${user}"}}]
    plan = {"model": "closed", "think": 0.5, "think_spread": 1.0, "seed": 7, "messages": by_user}
    with chat_server(slow) as url:
        load(url, users=6, rate=None, duration=1.5, **plan)
    for user, instants in heard.items():
        for turn, (earlier, later) in enumerate(itertools.pairwise(instants), start=1):
            assert later - earlier >= think_ns(int(user), turn, 0.5, 1.0, 7) + 0.1 * SECOND
    assert len(heard) == 6


def test_poisson_arrivals_are_those_of_the_seed():
    with chat_server(polite) as url:
        one, other = (
            load(url, users=1, rate=100, arrivals="poisson", duration=1, warmup=0.9, seed=seed).counted
            for seed in (3, 4)
        )
    assert one["message"].scheduled != other["message"].scheduled


@pytest.mark.alone
def test_sends_are_due_at_once_and_not_in_crowds():
    with chat_server(polite) as url:
        result = load(url, rate=300)
    assert metric(result, "message.send_lag.p50") < 10


def test_a_reply_after_its_time_out_is_late_also_between_two_looks_at_the_clock():
    with chat_server(answering_in_turn(0.03)) as url:
        result = load(url, users=20, rate=100, timeout=0.02)
    message = result.counted["message"]
    assert message.timed_out == message.scheduled == 100
    assert result.stray["late_reply"] > 0


def test_messages_are_numbered_from_1_whatever_was_said_before():
    heard = []
    greeting = {"name": "hello", "body": {"type": "hello", "id": "${id}"}}
    kinds = [{"name": "ask", "body": {"type": "ask", "id": "${id}", "number": "${sequence}"}}]
    with chat_server(recording(heard)) as url:
        load(url, users=1, rate=20, greeting=greeting, messages=kinds)
    numbers = [message["number"] for _, _, message in heard if message["type"] == "ask"]
    assert [int(number) for number in numbers] == list(range(1, len(numbers) + 1))


def test_a_handshake_that_hangs_has_timed_out_when_the_run_ends():
    async def silent(reader, _writer):
        await reader.read()

    with raw_server(silent) as url:
        result = load(url, users=3, duration=0.2, warmup=0, timeout=0.2, connect_timeout=1.5)
    connection = result.counted["connection"]
    assert (connection.timed_out, connection.errors) == (3, {"connect_timeout": 3})
    assert metric(result, "connection.time.min") >= 1500


def test_a_process_that_lives_on_keeps_nothing_of_a_run(out_of_sight):
    out_of_sight.undo()
    with chat_server(polite) as url:
        load(url, duration=0.2)
        frozen = gc.get_freeze_count()
    gc.collect()
    assert frozen == 0
    assert User not in map(type, gc.get_objects())  # others' objects may not like to be asked what they are
