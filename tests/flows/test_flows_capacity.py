"""A search for the capacity as a flow, on a real server with staged suites."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from types import SimpleNamespace

import pytest

from nightbench import settings as settings_module
from nightbench.capacity.asked import TIER, AskedSearch
from nightbench.capacity.finding import Found
from nightbench.capacity.search import Capacity, Step
from nightbench.history.store import HistoryStore
from nightbench.outcome import NightOutcome

STEPS = (Step(70, "met", 1.0), Step(72, "missed", 1.0))


def slow_above_70_users(measurement, _stop):
    """A subject with a knee."""
    if measurement.plan.users <= 70:
        return measurement
    metrics = tuple(
        replace(metric, value=3_000.0) if metric.name == "message.response_time.p95" else metric
        for metric in measurement.metrics
    )
    return replace(measurement, metrics=metrics)


@pytest.fixture
def searched(api, prefect_server, settings, stages):
    """A search that has found its answer, and what the server knows of it."""
    from prefect.settings import temporary_settings

    from flows.capacity import capacity

    stages.of["full websocket"] = slow_above_70_users
    with (
        temporary_settings(updates={"api.url": prefect_server.api_url}),
        settings_module.use(settings),
    ):
        state = asyncio.run(capacity(start=20, highest=500, seconds=5, return_state=True))
    artifacts = api("artifacts/filter", sort="CREATED_DESC")
    run = str(state.state_details.flow_run_id)
    mine = {each["key"]: each for each in artifacts if each["flow_run_id"] == run}
    runs = HistoryStore(settings.results).runs()
    return SimpleNamespace(state=state, artifacts=mine, runs=runs, stages=stages)


def test_the_answer_is_the_state_the_artifact_and_each_step_a_run_of_its_own_role(searched):
    assert searched.state.name == "Completed"
    assert searched.state.message.startswith("websocket: ")
    load = int(searched.state.message.split()[1])
    assert 66 <= load <= 70
    page = searched.artifacts["nightbench-capacity-websocket"]["data"]
    assert "kept the targets" in page
    assert "](data:image/svg+xml;base64," in page
    assert "nightbench-summary" not in searched.artifacts
    assert set(searched.runs["role"]) == {"capacity"}
    assert set(searched.runs["suite"]) == {"websocket"}
    assert list(searched.runs["block"]) == list(range(1, len(searched.runs) + 1))
    assert [label.split()[0] for label in searched.stages.labels] == ["capacity"] * len(searched.runs)


def test_a_start_above_the_highest_load_is_refused(api, prefect_server, settings, stages):
    from prefect.settings import temporary_settings

    from flows.capacity import capacity

    with (
        temporary_settings(updates={"api.url": prefect_server.api_url}),
        settings_module.use(settings),
    ):
        state = asyncio.run(capacity(start=600, highest=500, return_state=True))
    assert state.is_failed()
    assert "start = 600: is above the highest load, 500" in state.message
    assert stages.steps == []


def test_it_asks_for_the_same_as_the_command_unless_told_otherwise():
    from flows.capacity import capacity

    asked = inspect.signature(capacity.fn).parameters
    assert {name: asked[name].default for name in AskedSearch.model_fields} == AskedSearch().model_dump()
    assert asked["tier"].default == TIER


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Completed"),
        ({"answer": Capacity(None, 1, confirmed=True, ended="done")}, "TargetMissed"),
        ({"answer": Capacity(70, 72, confirmed=False, ended="out of time")}, "Invalid"),
        ({"interrupted": True}, "Invalid"),
        ({"steps": (Step(70, "missed", 1.0, broke=("query.leaked_rows",)),)}, "TargetMissed"),
    ],
)
def test_a_search_that_is_no_pass_is_no_completed_run(changes, name):
    from flows.states import capacity_state

    found = Found("database", "full", (), Capacity(70, 72, confirmed=True, ended="done"), STEPS)
    assert capacity_state(replace(found, **changes), NightOutcome("night")).name == name
