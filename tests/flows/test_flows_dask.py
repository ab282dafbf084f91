"""Shards as Prefect tasks on a real Dask cluster: what they measure, what is told of them, and the loss of one."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import Seen, Spec, scheduler, steady, workers

sys.path.insert(0, str(Path(__file__).parents[1] / "websocket"))

from prefect import flow, task
from prefect.context import serialize_context
from prefect.runtime import flow_run
from prefect.utilities.engine import collect_task_run_inputs_sync
from servers import chat_server, polite

from flows.fleet.choice import fleet_of
from flows.fleet.protocol import Order
from flows.fleet.sent_context import light_context
from flows.in_process import environment
from nightbench.errors import ConfigurationError
from nightbench.load.shards import Parts, run_parts
from nightbench.measurement import Measurement, RunLabel
from nightbench.plan import WebSocketPlan
from nightbench.subject import Subject
from nightbench.websocket import load_test

TOKEN = "hunter2-token"
SECRET = "hunter2-secret"
START_SECONDS = 8.0
"""For interpreters to start in, also on a machine that is busy with other tests."""
LABEL = RunLabel("quick", "night", "test")


@dataclass
class Scenes:
    """What came of each scene, which one flow run plays on one cluster."""

    flow_run_id: str = ""
    measured: Measurement | None = None
    progress: list[Any] = field(default_factory=list)
    refusal: str = ""
    stopped: Parts[Seen] | None = None
    killed: Parts[Seen] | None = None


async def _measured(address, url, scenes, *, shards):
    plan = WebSocketPlan(users=4, duration=1.5, ramp=0.2, warmup=0.3, rate=40, shards=shards)
    return await load_test.run(
        plan,
        Subject(websocket_url=url, token=TOKEN),
        LABEL,
        on_progress=scenes.progress.append,
        stop=asyncio.Event(),
        fleet=fleet_of(address),
    )


async def _until(address, on_first, stop):
    """Two shards that go on until one is lost or `stop` is set; `on_first` is called when both are at it."""
    begun = False

    def heard(progress):
        nonlocal begun
        if progress.active == 2 and not begun:
            begun = True
            on_first()

    async with fleet_of(address).crew("websocket", 2, lead=0.0) as crew:
        return await run_parts(
            steady,
            [Spec(SECRET), Spec(SECRET)],
            crew=crew,
            on_progress=heard,
            stop=stop,
            grace=5.0,
            patience=20.0,
        )


@pytest.fixture(scope="module")
def scenes(prefect_server):
    seen = Scenes()

    @flow(name="scenes", persist_result=False)
    async def play():
        seen.flow_run_id = str(flow_run.id)
        with chat_server(polite) as url, scheduler() as address, workers(address, 2) as both:
            seen.measured = await _measured(address, url, seen, shards=2)
            try:
                await _measured(address, url, seen, shards=3)
            except ConfigurationError as error:
                seen.refusal = str(error).replace(address, "SCHEDULER")
            stop = asyncio.Event()
            seen.stopped = await _until(address, stop.set, stop)
            seen.killed = await _until(address, both[0].process.kill, asyncio.Event())

    server = environment.prefect_environment({environment.API_URL: prefect_server.api_url})
    with server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.fleet.crew.start_seconds", lambda _crew: START_SECONDS)
        asyncio.run(play())
    return seen


def test_what_the_shards_measure_is_what_one_generator_would_have(scenes):
    counted = scenes.measured.operations
    assert counted["connection"].ok == 4
    assert counted["message"].scheduled == counted["message"].ok == 60
    assert scenes.measured.value("message.response_time.p50") is not None
    assert scenes.measured.validity.complete
    assert {progress.suite for progress in scenes.progress} == {"websocket"}


def test_shards_begin_together_whenever_their_tasks_did(scenes):
    assert not any("ready" in reason for reason in scenes.measured.validity.reasons)
    one, other = (shard.started_at for shard in scenes.stopped.results)
    assert abs(one - other) < timedelta(milliseconds=1)  # by our clock


def test_the_measurement_says_which_machines_the_load_came_from(scenes):
    assert scenes.measured.host["fleet"] == "Dask of 1 machine"
    machines = scenes.measured.details["machines"]
    assert [machine["cores"] for machine in machines] == [os.cpu_count()] * 2
    assert all(machine["clock_uncertainty_ms"] < 500 for machine in machines)


def test_fewer_threads_than_shards_are_refused(scenes):
    assert scenes.refusal.startswith(
        "NIGHTBENCH_RUN__DASK = 'SCHEDULER': the plan has 3 shards, and 2 workers with 2 free threads there"
    )


def test_shards_end_when_they_are_told_to_and_keep_what_they_have(scenes):
    assert [shard.given_up for shard in scenes.stopped.results] == ["interrupted", "interrupted"]
    assert scenes.stopped.lost == {}


def test_a_worker_that_is_killed_is_told_and_ends_the_others(scenes):
    (lost,) = scenes.killed.lost.values()
    assert lost.startswith("the Dask worker tcp://127.0.0.1:")
    assert lost.endswith("was lost: its process ended, or its connection broke")
    assert [shard.given_up for shard in scenes.killed.results] == ["interrupted"]


def test_prefect_is_told_of_the_shards_and_of_none_of_their_secrets(scenes, api):
    logs = api("logs/filter", logs={"flow_run_id": {"any_": [scenes.flow_run_id]}})
    told = json.dumps([logs, api("flow_runs/filter", flow_runs={"id": {"any_": [scenes.flow_run_id]}})])
    assert any(line["task_run_id"] for line in logs)  # that the workers wrote
    assert TOKEN not in told
    assert SECRET not in told


def test_an_order_shows_nothing_and_is_no_input_that_prefect_walks_through():
    order = Order("websocket-0", "worker", "m:f", SECRET.encode(), grace=1.0, patience=1.0)
    assert repr(order) == "Order('websocket-0')"
    assert collect_task_run_inputs_sync(order) == set()


def test_what_travels_beside_an_order_is_nothing_of_the_night(prefect_server):
    @task(persist_result=False)
    async def measure(_night):
        before = str(serialize_context())
        with light_context():
            light = str(serialize_context())
        return before, light, str(serialize_context())

    @flow(persist_result=False)
    async def night(secret):
        return await measure(secret)

    with environment.prefect_environment({environment.API_URL: prefect_server.api_url}):
        whole, light, after = asyncio.run(night(SECRET))
    assert whole.count(SECRET) > light.count(SECRET)
    assert "measure" not in light
    assert "measure" in after
