"""Nothing vanishes: scheduled = ok + failed + timed_out + skipped + in_flight."""

import pickle
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.load.ledger import Ledger, OperationCounts, Outcome

events = st.lists(st.sampled_from([None, *Outcome]), max_size=60)


def apply(counts, sequence):
    for event in sequence:
        if event is None:
            counts.schedule()
        elif counts.in_flight:
            counts.end(event, None if event is Outcome.OK else event.value)


@given(events)
def test_the_account_adds_up_after_any_sequence(sequence):
    counts = OperationCounts()
    apply(counts, sequence)
    counts.check("message")


@given(events, events)
def test_the_sum_of_two_accounts_adds_up(first, second):
    one, two = OperationCounts(), OperationCounts()
    apply(one, first)
    apply(two, second)
    total = one + two
    total.check("message")
    assert total.scheduled == one.scheduled + two.scheduled
    assert total.errors.total() == one.errors.total() + two.errors.total()


@given(events)
def test_every_end_is_counted_under_its_outcome_and_its_class(sequence):
    counts = OperationCounts()
    apply(counts, sequence)
    due, ended = 0, []
    for event in sequence:
        if event is None:
            due += 1
        elif due > len(ended):
            ended.append(event)
    assert counts.scheduled == due
    assert {outcome: getattr(counts, outcome.value) for outcome in Outcome} == {
        outcome: ended.count(outcome) for outcome in Outcome
    }
    assert counts.in_flight == due - len(ended)
    assert counts.errors == Counter(outcome.value for outcome in ended if outcome is not Outcome.OK)


@given(st.lists(st.tuples(st.sampled_from(Outcome), st.integers(0, 3), st.booleans()), max_size=60))
def test_the_accounts_of_shards_sum_to_that_of_the_whole(operations):
    whole, shards = OperationCounts(), [OperationCounts() for _ in range(4)]
    for outcome, shard, has_ended in operations:
        for counts in (whole, shards[shard]):
            counts.schedule()
            if has_ended:
                counts.end(outcome, None if outcome is Outcome.OK else f"{outcome.value}_{shard}")
    assert sum(shards, OperationCounts()) == whole
    assert sum(pickle.loads(pickle.dumps(shards)), OperationCounts()) == whole


def test_an_operation_that_ends_twice_is_found():
    counts = OperationCounts()
    counts.schedule()
    counts.end(Outcome.OK)
    counts.end(Outcome.OK)
    with pytest.raises(AssertionError, match="does not add up"):
        counts.check("message")


def test_an_operation_that_vanishes_is_found():
    counts = OperationCounts(scheduled=2, ok=1)
    with pytest.raises(AssertionError, match="'message'"):
        counts.check("message")


@pytest.mark.parametrize(
    "counts",
    [
        OperationCounts(scheduled=2, ok=1, failed=1),
        OperationCounts(scheduled=2, ok=1, skipped=1, errors=Counter(congested=2)),
        OperationCounts(scheduled=1, ok=2, in_flight=-1),
    ],
    ids=["a failure without a class", "a class of nothing", "more ends than beginnings"],
)
def test_an_account_that_cannot_be_is_found(counts):
    with pytest.raises(AssertionError, match="does not add up"):
        counts.check("message")


@pytest.mark.parametrize(("outcome", "error"), [(Outcome.OK, "timeout"), (Outcome.FAILED, None)])
def test_every_failure_names_its_class_and_a_success_none(outcome, error):
    counts = OperationCounts()
    counts.schedule()
    with pytest.raises(ValueError, match="names its class"):
        counts.end(outcome, error)


def test_success_rate_is_of_what_was_scheduled():
    counts = OperationCounts(scheduled=4, ok=3, in_flight=1)
    assert counts.success_rate == 75
    assert OperationCounts().success_rate is None


def test_warm_up_is_accounted_apart():
    ledger = Ledger("message")
    ledger.account("message", counted=False).schedule()
    ledger.account("message", counted=False).end(Outcome.FAILED, "timeout")
    assert ledger.counted["message"] == OperationCounts()
    assert ledger.uncounted["message"].failed == 1
    assert ledger.failures == 1
