"""A load test in parts: the same users, sends and numbers as in one piece."""

import asyncio
import itertools
import json
import pickle
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import answer, chat_server, polite

from nightbench.errors import MeasurementError
from nightbench.load.fleet import LocalCrew
from nightbench.load.health import Health
from nightbench.load.histogram import Histogram
from nightbench.load.ledger import Outcome
from nightbench.load.phases import SECOND, Phases
from nightbench.load.shard import Shard
from nightbench.load.shards import Parts
from nightbench.plan import WebSocketPlan
from nightbench.websocket.conversation import Request
from nightbench.websocket.generator import run_generator
from nightbench.websocket.metrics import websocket_metrics, websocket_validity
from nightbench.websocket.presence import Presence
from nightbench.websocket.records import CONNECTION, RECONNECTION, Records
from nightbench.websocket.result import WebSocketResult, WebSocketSpec, merged
from nightbench.websocket.shards import run_shards, split
from nightbench.websocket.sizes import Sizes

MEASURE = 1000 * SECOND
HEALTH = Health(
    cpu_seconds=1.0,
    wall_seconds=10.0,
    tick_lag=Histogram(),
    gc_pause_max_ms=0.0,
    open_files=9,
    memory_mib=50.0,
)
MILLISECOND = SECOND // 1000


@dataclass
class Opened:
    tcp_at: int
    tls_at: int
    opened_at: int


def play(records, event):
    """One event of a recorded trace: (user, what, when in ms, how long in ms, kind)."""
    _, what, when, long, kind = event
    due = MEASURE + when * MILLISECOND
    end = due + long * MILLISECOND
    if what == "connect":
        records.connection_due(CONNECTION)
        opened = Opened(due + 1000, due + 1000 + kind, end + 2000)
        records.connection_opened(CONNECTION, opened, due=due, sent=due + 500)
    elif what == "refused":
        records.connection_due(RECONNECTION)
        records.connection_failed(RECONNECTION, "connection_refused", due=due, sent=due, now=end)
    elif what == "lose":
        records.connection_lost("close_1011", end)
    elif what == "skip":
        records.message_due(kind, counted=True)
        records.message_skipped(kind, "in_flight_limit", due=due, counted=True)
    else:
        records.message_due(kind, counted=True)
        request = Request("x", kind, True, due, due + 1000, end)
        request.chunks, request.received = when % 7, long
        request.first = request.latest = due + 1000 + (end - due - 1000) // 2
        outcome, error = {
            "ok": (Outcome.OK, None),
            "fail": (Outcome.FAILED, "reply_error"),
            "time_out": (Outcome.TIMED_OUT, "timeout"),
        }[what]
        request.previous = request.first
        records.chunk_arrived(request)
        records.message_ended(request, end, outcome, error)


def result_of(trace, fold_every):
    records = Records(("question", "ping"), start=MEASURE)
    for number, event in enumerate(trace):
        play(records, event)
        if number % fold_every == 0:
            records.fold(MEASURE)
    records.fold(MEASURE)
    return WebSocketResult(
        phases=Phases.plan(0, ramp=1, warmup=0, measure=60, drain=1),
        counted=records.counted,
        uncounted=records.uncounted,
        times=records.times(),
        health=HEALTH,
        started_at=datetime(2026, 11, 24, tzinfo=UTC),
        last_ok=max(0, records.last_ok - MEASURE),
        last_connected=records.last_connected,
        presence=records.presence,
        lost=records.lost,
        chunks=records.chunks,
        received=records.received,
        stray=records.stray,
        starved=(),
        given_up=None,
    )


events = st.tuples(
    st.integers(0, 11),
    st.sampled_from(["connect", "refused", "lose", "ok", "ok", "ok", "fail", "time_out", "skip"]),
    st.integers(0, 60_000),
    st.integers(1, 20_000),
    st.integers(0, 1),
)


@given(st.lists(events, max_size=60), st.integers(2, 5), st.integers(1, 9))
def test_the_merged_measurement_of_shards_equals_the_single_one_on_a_recorded_trace(trace, count, fold_every):
    whole = result_of(trace, fold_every=7)
    parts = [
        pickle.loads(
            pickle.dumps(result_of([e for e in trace if e[0] in Shard(i, count).part(12)], fold_every))
        )
        for i in range(count)
    ]
    together = merged(Parts(parts, {}))
    assert together.counted == whole.counted
    assert together.uncounted == whole.uncounted
    assert (together.lost, together.stray, together.last_ok) == (whole.lost, whole.stray, whole.last_ok)
    assert together.last_connected == whole.last_connected
    assert (together.chunks, together.received) == (whole.chunks, whole.received)
    assert together.presence == whole.presence
    assert [times.windows() for times in together.times] == [times.windows() for times in whole.times]
    own = [metric for metric in websocket_metrics(whole) if not metric.name.startswith("generator")]
    assert [m for m in websocket_metrics(together) if not m.name.startswith("generator")] == own


@given(st.integers(1, 500), st.integers(1, 16))
def test_shards_have_every_user_once(users, count):
    parts = [Shard(index, count).part(users) for index in range(count)]
    assert sorted(itertools.chain(*parts)) == list(range(users))


def spec_of(url, **plan):
    numbers = {"users": 6, "duration": 1.0, "ramp": 0.1, "warmup": 0.7, "rate": 60, "timeout": 5.0, **plan}
    return WebSocketSpec(WebSocketPlan(**numbers), url, "test")


def test_a_process_pool_runs_shards_and_their_sum_is_what_the_plan_asks_for():
    with chat_server(polite) as url, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        shards = split(spec_of(url), 2, start_at=None)
        together = merged(Parts(list(pool.map(run_generator, shards)), {}))
    assert together.counted["connection"].ok == 6
    assert together.counted["message"].scheduled == together.counted["message"].ok == 60


def test_shards_in_processes_start_at_one_instant_and_are_told_as_one_load_test():
    seen = []

    async def main(url):
        crew = LocalCrew(2, lead=0.0)
        spec = spec_of(url, shards=2, duration=2.5)
        return await run_shards(spec, crew=crew, on_progress=seen.append, stop=asyncio.Event())

    with chat_server(polite) as url:
        result = asyncio.run(main(url))
    assert result.counted["message"].scheduled == 150
    assert result.presence.most == 6
    assert not any("ready" in reason for reason in result.starved)
    assert max(progress.active for progress in seen) == 6


def test_a_shard_that_fails_ends_the_others():
    plan = WebSocketPlan(users=2, duration=3600, shards=2)
    broken = WebSocketSpec(plan, "http://no-websocket/", "test")
    crew = LocalCrew(2, lead=0.0)
    with pytest.raises(MeasurementError, match="generator failed"):
        asyncio.run(run_shards(broken, crew=crew, on_progress=lambda _: None, stop=asyncio.Event()))


def test_shards_share_neither_users_nor_ids_nor_turns():
    heard = []

    async def noting(websocket):
        async for text in websocket:
            heard.append(json.loads(text))
            await answer(websocket, text)

    kinds = [{"name": "chat", "body": {"type": "chat", "id": "${id}", "user": "${user}"}}]
    with chat_server(noting) as url:
        for shard in split(spec_of(url, messages=kinds), 2, start_at=None):
            run_generator(shard)
    assert {message["user"] for message in heard} == {str(user) for user in range(6)}
    assert len({message["id"] for message in heard}) == len(heard)


def test_a_shard_connects_its_users_when_the_whole_ramp_has_come_to_them():
    with chat_server(polite) as url:
        spec = spec_of(url, users=4, ramp=1.2, duration=0.3)
        first, second = (run_generator(shard) for shard in split(spec, 2, start_at=None))
    # users 0 and 2, users 1 and 3, each 300 ms after the one before it
    for shard, last in ((first, 600), (second, 900)):
        assert shard.last_connected >= last * MILLISECOND


def test_a_shard_waits_for_the_start_that_was_agreed_on_and_counts_from_it():
    arrivals = []

    async def noting(websocket):
        arrivals.append(time.time_ns())
        await polite(websocket)

    with chat_server(noting) as url:
        start_at = time.time_ns() + 3 * SECOND  # by when it is ready also on a busy machine
        (shard, _) = split(spec_of(url, duration=0.3), 2, start_at=start_at)
        result = run_generator(shard)
    assert min(arrivals) > start_at
    assert result.started_at == datetime.fromtimestamp(start_at / SECOND, UTC)
    assert not any("ready" in reason for reason in result.starved)


def test_what_does_not_count_adds_up_over_the_shards_too():
    shards = []
    for _ in range(2):
        records = Records(("chat",), start=0)
        records.message_due(0, counted=False)
        shards.append(replace(result_of([], 1), uncounted=records.uncounted))
    assert merged(Parts(shards, {})).uncounted["message"].scheduled == 2


@pytest.mark.parametrize("late", [0, 1])
def test_a_load_test_lasts_until_its_last_shard_has_ended(late):
    shards = [result_of([], 1), result_of([], 1)]
    longer = Phases.plan(0, ramp=1, warmup=0, measure=70, drain=9)
    shards[late] = replace(shards[late], phases=longer, last_ok=7)
    together = merged(Parts(shards, {}))
    assert (together.phases, together.last_ok) == (longer, 7)


def test_a_shard_that_is_not_ready_in_time_makes_the_whole_invalid():
    with chat_server(polite) as url:
        late = run_generator(split(spec_of(url, duration=0.5), 2, start_at=1)[0])
        fine = run_generator(spec_of(url, duration=0.5))
    reasons = websocket_validity(merged(Parts([fine, late], {}))).reasons
    assert any(reason.startswith("shard 1: this shard was ready") for reason in reasons)


def test_what_keeps_one_shard_from_being_trusted_does_so_for_all():
    one = result_of([], 1)
    other = WebSocketResult(**{**vars(result_of([], 1)), "starved": ("late",), "given_up": "interrupted"})
    together = merged(Parts([one, other], {}))
    assert together.starved == ("shard 1: late",)
    assert together.given_up == "shard 1: interrupted"
    assert not websocket_validity(together).complete


def test_a_shard_that_was_lost_keeps_its_number_and_the_whole_is_incomplete():
    one = result_of([], 1)
    late = WebSocketResult(**{**vars(one), "starved": ("late",)})
    together = merged(Parts([one, late], {1: "ended without a result"}))
    assert together.starved == ("shard 2: late",)
    assert together.given_up == "shard 1: ended without a result"
    assert merged(Parts([one], {0: "ended"})).given_up == "shard 0: ended"


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), max_size=30), st.integers(1, 4))
def test_presence_merged_is_that_of_all(stays, count):
    parts = [Presence() for _ in range(count)]
    for number, (opened, stayed) in enumerate(stays):
        parts[number % count].open(opened)
        parts[number % count].lose(opened + stayed)
    at = np.arange(102)
    present = [sum(opened <= now < opened + stayed for opened, stayed in stays) for now in at]
    assert Presence.merged(parts).most == max(present)
    assert Presence.merged(parts).active == 0


@given(st.lists(st.integers(0, 1000)), st.lists(st.integers(0, 1000)))
def test_sizes_add_up(one, other):
    def sizes(values):
        found = Sizes()
        for value in values:
            found.add(value)
        return found

    assert sizes(one) + sizes(other) == sizes(one + other)
    assert Counter(one).total() == sizes(one).n
