from __future__ import annotations

import asyncio
import itertools
import math
import time
from dataclasses import replace

import pytest
from builders import invalidated, websocket_measurement

from nightbench.capacity.finding import find_capacity
from nightbench.capacity.search import SearchPlan
from nightbench.capacity.step_plan import plan_at
from nightbench.errors import ConfigurationError, MeasurementError, NotBegunError
from nightbench.plan import TierChanges
from nightbench.tiers import TIERS

SEARCH = SearchPlan(start=10, lowest=1, highest=10_000, precision=0.05, budget=math.inf)
FULL = TIERS["full"]


def found(measure, *, stopped=lambda: False, plan=FULL, search=SEARCH, clock=time.monotonic):
    told = []
    search = find_capacity(
        search,
        plan,
        "websocket",
        seconds=20,
        measure=measure,
        on_step=lambda step: told.append((step.why, step.load)),
        stopped=stopped,
        clock=clock,
    )
    return asyncio.run(search), told


async def with_a_knee_at_70_users(plan, turn):
    slow = 20.0 if plan.websocket.users <= 70 else 3_000.0
    return websocket_measurement(
        number=turn.block, plan=plan.websocket, users=plan.websocket.users, median_ms=slow, role=turn.role
    )


def test_the_knee_of_a_subject_is_found_by_its_targets():
    result, told = found(with_a_knee_at_70_users)
    assert result.answer.load <= 70 < result.answer.below
    assert result.answer.below <= 75
    assert told[:4] == [("step up", 10), ("step up", 20), ("step up", 40), ("step up", 80)]
    assert [step.load for step in result.steps] == [load for _, load in told]
    missed = next(step for step in result.steps if step.result == "missed")
    assert "message.response_time.p95 < 2,000 ms missed: " in missed.reasons[0]
    assert (missed.broke, missed.p95_ms > 2000, missed.success) == (
        ("message.response_time.p95",),
        True,
        99.5,
    )


def test_steps_are_runs_of_their_own_role():
    turns = []

    async def remembered(plan, turn):
        turns.append(turn)
        return await with_a_knee_at_70_users(plan, turn)

    found(remembered)
    assert {turn.role for turn in turns} == {"capacity"}
    assert [turn.block for turn in turns] == list(range(1, len(turns) + 1))


def test_a_step_that_gave_no_measurement_is_an_invalid_one():
    async def breaks_once(plan, turn):
        if turn.block == 2:
            raise MeasurementError("the load generator ended:\n postgresql://app:hunter2@db/app")
        return await with_a_knee_at_70_users(plan, turn)

    result, _ = found(breaks_once)
    assert [step.result for step in result.steps[:3]] == ["met", "invalid", "met"]
    assert result.steps[1].reasons == ("the load generator ended: postgresql://app:***@db/app",)
    assert result.answer.load <= 70 < result.answer.below


@pytest.mark.parametrize("where", ["before a step", "within one"])
def test_an_interruption_ends_it_with_what_is_known(where):
    steps = []

    async def counted(plan, turn):
        if where == "within one" and len(steps) == 2:
            raise NotBegunError
        steps.append(turn)
        return await with_a_knee_at_70_users(plan, turn)

    result, _ = found(counted, stopped=lambda: where == "before a step" and len(steps) == 2)
    assert result.interrupted
    assert (result.answer.load, result.answer.below, result.answer.confirmed) == (20, None, False)
    assert len(result.steps) == 2


def test_a_step_that_was_cut_short_does_not_count():
    stopped = []

    async def cut_short(plan, turn):
        measurement = await with_a_knee_at_70_users(plan, turn)
        if turn.block < 5:
            return measurement
        stopped.append(True)
        return invalidated(measurement, "incomplete after 1.0 s: interrupted", complete=False)

    result, _ = found(cut_short, stopped=lambda: bool(stopped))
    assert result.interrupted
    assert (result.answer.load, result.answer.below) == (40, 80)
    assert len(result.steps) == 4


def test_what_each_step_took_is_spent_of_its_time():
    ticks = itertools.count(step=30.0)
    short = replace(SEARCH, budget=120)
    result, _ = found(with_a_knee_at_70_users, search=short, clock=lambda: next(ticks))
    assert [step.seconds for step in result.steps] == [30.0] * 4
    assert (result.answer.load, result.answer.below, result.answer.confirmed) == (40, 80, False)


def test_nothing_has_begun_before_the_first_load():
    with pytest.raises(NotBegunError):
        found(with_a_knee_at_70_users, stopped=lambda: True)


async def gone_above_40_users(plan, turn):
    if plan.websocket.users > 40:
        raise ConfigurationError("--url", "ws://127.0.0.1:9/chat", "nothing answers there")
    return await with_a_knee_at_70_users(plan, turn)


def test_a_subject_that_a_load_took_away_has_no_vote_and_the_answer_is_kept():
    result, _ = found(gone_above_40_users)
    assert (result.answer.load, result.answer.below, result.answer.confirmed) == (40, None, True)
    assert "nothing answers there" in result.steps[3].reasons[0]


def test_a_subject_that_was_never_there_is_a_wrong_setting():
    async def nowhere(_plan, _turn):
        raise ConfigurationError("--url", "ws://127.0.0.1:9/chat", "nothing answers there")

    with pytest.raises(ConfigurationError, match="nothing answers there"):
        found(nowhere)


def test_the_targets_that_follow_the_load_are_those_of_the_answer():
    result, _ = found(with_a_knee_at_70_users)
    assert f"connection.connected_users >= {result.answer.load}" in map(str, result.targets)


def test_a_step_of_users_keeps_what_each_of_them_does():
    plan = FULL.changed(TierChanges.model_validate({"websocket": {"rate": 25, "ramp": 4, "shards": 4}}))
    step = plan_at(plan, "websocket", 200, seconds=20)
    assert (step.websocket.users, step.websocket.rate, step.websocket.ramp) == (200, 50, 8)
    assert step.websocket.duration == 20
    assert plan_at(plan, "websocket", 2, seconds=20).websocket.shards == 2
    assert (step.blocks, step.reruns) == (1, 0)


def test_a_step_of_queries_is_an_open_rate():
    plan = FULL.changed(TierChanges.model_validate({"database": {"model": "closed"}}))
    step = plan_at(plan, "database", 150, seconds=20).database
    assert (step.model, step.rate, step.queries, step.workers) == ("open", 150, 3_000, plan.database.workers)
