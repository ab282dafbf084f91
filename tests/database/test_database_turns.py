"""Which operation is next: each once, at its place in the schedule, whichever shard has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.database.turns import Turns, phases_of
from nightbench.load.phases import SECOND
from nightbench.load.shard import Shard
from nightbench.plan import DatabasePlan


def taken(plan, shard, now):
    turns = Turns(plan, phases_of(plan, 0), shard)
    while (turn := turns.take(now)) is not None:
        yield turn


def by_index(turns):
    return sorted(turns, key=lambda turn: turn.index)


@pytest.mark.parametrize(
    ("model", "arrivals"), [("open", "constant"), ("open", "poisson"), ("closed", "constant")]
)
@given(
    queries=st.integers(8, 300),
    warmup=st.sampled_from([0, 0.1, 0.73]),
    count=st.integers(1, 8),
)
def test_shards_together_have_every_operation_once(model, arrivals, queries, warmup, count):
    plan = DatabasePlan(
        arrivals=arrivals,
        queries=queries,
        workers=8,
        rate=50 if model == "open" else None,
        model=model,
        warmup=warmup,
        shards=count,
    )
    now = round(plan.warmup * SECOND) + 1  # past the warm-up, which has no end in the closed model
    whole = list(taken(plan, Shard(), now))
    parts = [turn for index in range(count) for turn in taken(plan, Shard(index, count), now)]
    assert by_index(parts) == by_index(whole)
    assert sorted(turn.counted for turn in whole if turn.counted is not None) == list(range(queries))


def test_a_shard_keeps_to_its_own_warm_up():
    plan = DatabasePlan(queries=8, workers=8, model="closed", warmup=5, shards=2)
    turns = Turns(plan, phases_of(plan, 0), Shard(1, 2))
    assert [turns.take(0).index for _ in range(3)] == [1, 3, 5]
