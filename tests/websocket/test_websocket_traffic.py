"""What users say, when, and how long the parts of it take: whole load tests against real servers."""

import asyncio
import itertools
import json
import time

import pytest
from servers import answer, chat_server, polite
from test_websocket_generator import load, metric


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
    assert sum(account["message"].ok for account in (result.counted, result.uncounted)) == len(heard)


def test_in_the_closed_model_pacing_keeps_messages_apart_from_start_to_start():
    heard = []
    with chat_server(recording(heard)) as url:
        load(url, users=1, model="closed", rate=None, think=0, pacing=0.2, duration=1.5)
    instants = [at for at, _, _ in heard]
    # what waits for a busy machine comes late, never early
    assert min(later - earlier for earlier, later in itertools.pairwise(instants)) > 0.1
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
