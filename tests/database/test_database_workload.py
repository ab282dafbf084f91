"""The mix has the shares that its weights say, is the same for the same seed, and evenly over the tenants."""

import pickle
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.database.provisions import Provisions, load_provisions
from nightbench.database.workload import Statement, Workload, policy_statement, statements_of
from nightbench.plan import DatabasePlan
from nightbench.plan.pam import PAM

PLAN = DatabasePlan(queries=1, workers=1, tenants=100)
STATEMENTS = statements_of(PAM, load_provisions(PLAN))
TENANTS = load_provisions(PLAN).tenants
INDEXES = st.integers(-(10**6), 10**9)  # those before 0 are of the warm-up


def workload(seed=1, statements=STATEMENTS, tenants=TENANTS):
    return Workload(statements, tenants, seed=seed, tag="nightbench:test")


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(0, 2**32 - 1), INDEXES)
def test_each_run_through_the_deck_holds_exactly_the_weights(weights, seed, block):
    statements = [Statement(f"s{n}", "read", weight, "") for n, weight in enumerate(weights)]
    load, size = workload(seed, statements), sum(weights)
    names = Counter(load.statement(size * block + place).name for place in range(size))
    assert names == {each.name: each.weight for each in statements}


def test_the_assistants_mix_is_four_reads_and_two_writes():
    assert {each.name: (each.kind, each.weight) for each in STATEMENTS} == {
        "profile_lookup": ("read", 25),
        "expense_listing": ("read", 25),
        "budget_utilization": ("read", 15),
        "conversation_history": ("read", 15),
        "expense_insert": ("write", 12),
        "expense_update": ("write", 8),
    }
    assert sum(each.weight for each in STATEMENTS if each.kind == "read") == 80
    assert [each.name for each in STATEMENTS if each.uses_own_row] == ["expense_update"]
    assert {(each.min_rows, each.max_rows) for each in STATEMENTS if each.kind == "write"} == {(1, 1)}


def run(load, indexes):
    return [
        (load.statement(index).name, tenant, load.parameters(index, tenant=tenant, own_row=3))
        for index in indexes
        for tenant in [load.tenant(index)]
    ]


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    assert run(workload(7), range(300)) == run(workload(7), range(300))
    assert run(workload(7), range(300)) != run(workload(8), range(300))


@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_shards_see_the_operations_that_one_process_would(shards, seed):
    there = pickle.loads(pickle.dumps(STATEMENTS))
    parts = [run(workload(seed, there), range(shard, 40, shards)) for shard in range(shards)]
    whole = run(workload(seed), range(40))
    assert [parts[index % shards][index // shards] for index in range(40)] == whole


def test_tenants_take_part_evenly():
    counts = Counter(map(workload().tenant, range(20_000)))
    assert set(counts) == set(TENANTS)
    assert max(counts.values()) < 1.5 * min(counts.values())


def test_what_is_drawn_does_not_depend_on_the_tenant():
    load = workload(tenants=TENANTS[:2])
    listings = [index for index in range(4_000) if load.statement(index).name == "expense_listing"]
    pairs = Counter((load.tenant(index), load.parameters(index, tenant="x")["offset"]) for index in listings)
    assert len(pairs) == 2 * 4
    assert max(pairs.values()) < 1.5 * min(pairs.values())


@given(INDEXES)
def test_a_write_is_tagged_or_changes_the_workers_own_row(index):
    load = workload()
    if load.statement(index).kind == "write":
        parameters = load.parameters(index, tenant="ann", own_row=7)
        assert parameters.get("tag") == "nightbench:test" or parameters.get("id") == 7
        assert parameters.get("tenant", "ann") == "ann"


def test_the_read_of_the_policy_cost_is_no_part_of_the_mix():
    statement = policy_statement(PAM, Provisions(()))
    assert statement.name not in {each.name for each in STATEMENTS}
    parameters = Workload((statement,), ("ann",), seed=1, tag="").parameters(0, tenant="ann")
    assert set(parameters) == {"tenant", "offset"}
    assert policy_statement(PAM.model_copy(update={"policy_cost": None}), Provisions(())) is None


@pytest.mark.parametrize(("workers", "rate"), [(5, 50), (10, 100), (50, 200)])
def test_the_rate_follows_the_workers_up_to_a_bound(workers, rate):
    assert DatabasePlan(queries=1, workers=workers).queries_per_second == rate
