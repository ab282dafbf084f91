"""The mix is 80 % reads and 20 % writes, the same for the same seed, and evenly over the tenants."""

from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.database.turns import Turns, phases_of
from nightbench.database.workload import PAM_MIX, Workload, mixed
from nightbench.load.phases import SECOND
from nightbench.plan import DatabasePlan

TENANTS = [UUID(int=number) for number in range(1, 101)]


def workload(seed=1):
    return Workload(PAM_MIX, TENANTS, seed=seed, tag="nightbench:test")


@given(st.integers(0, 2**32 - 1), st.integers(0, 50))
def test_any_hundred_operations_hold_exactly_the_mix(seed, block):
    kinds = Counter(workload(seed).statement(100 * block + place).kind for place in range(100))
    assert kinds == {"read": 80, "insert": 12, "update": 8}


def test_the_four_reads_and_two_writes_are_there():
    assert [statement.name for statement in PAM_MIX] == [
        "profile_lookup",
        "expense_listing",
        "budget_utilization",
        "conversation_history",
        "expense_insert",
        "expense_update",
    ]


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    def run(seed):
        load = workload(seed)
        return [(load.statement(index).name, load.draw(index)) for index in range(300)]

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_tenants_take_part_evenly():
    counts = Counter(workload().draw(index).tenant for index in range(20_000))
    assert set(counts) == set(TENANTS)
    assert max(counts.values()) < 1.5 * min(counts.values())


@given(st.integers(0, 2**32 - 1), st.integers(0, 10**9))
def test_draws_are_64_bits(seed, index):
    assert 0 <= mixed(seed, index) < 2**64


@given(st.integers(0, 10**6))
def test_an_insert_is_tagged_and_of_its_tenant(index):
    draw = workload().draw(index)
    insert = next(statement for statement in PAM_MIX if statement.kind == "insert")
    parameters = insert.parameters(draw)
    assert parameters["tenant"] == draw.tenant
    assert parameters["tag"] == "nightbench:test"
    assert parameters["amount"] > 0


def test_the_open_model_hands_out_each_operation_once_on_schedule():
    plan = DatabasePlan(queries=40, workers=2, rate=20, warmup=1)
    phases = phases_of(plan, 0)
    turns = Turns(plan, phases)
    handed = []
    while (turn := turns.take(0)) is not None:
        handed.append(turn)
    assert len(handed) == 20 + 40
    assert [turn.counted for turn in handed] == [None] * 20 + list(range(40))
    assert [phases.counts(turn.due) for turn in handed] == [False] * 20 + [True] * 40
    assert handed[1].due - handed[0].due == SECOND // 20


def test_the_closed_model_is_due_when_a_worker_is_ready_and_counts_after_the_warm_up():
    plan = DatabasePlan(queries=2, workers=2, model="closed", warmup=1)
    turns = Turns(plan, phases_of(plan, 0))
    assert turns.take(5).counted is None
    counted = [turns.take(now) for now in (SECOND, 3 * SECOND, 4 * SECOND)]
    assert [(turn.due, turn.counted) for turn in counted[:2]] == [(SECOND, 0), (3 * SECOND, 1)]
    assert counted[2] is None


@pytest.mark.parametrize(("workers", "rate"), [(5, 50), (10, 100), (50, 200)])
def test_the_rate_follows_the_workers_up_to_a_bound(workers, rate):
    assert DatabasePlan(queries=1, workers=workers).queries_per_second == rate
