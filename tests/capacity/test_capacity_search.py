from __future__ import annotations

import itertools
import math

import pytest
from capacity.simulated import Subject, searched
from hypothesis import given
from hypothesis import strategies as st

from nightbench.capacity.search import MOST_STEPS, SearchPlan

PLAN = SearchPlan(start=20, lowest=1, highest=100_000, precision=0.03, budget=math.inf)


@pytest.mark.parametrize("knee", [37, 230, 1_700])
def test_a_known_knee_is_found_within_5_percent_in_50_seeds(knee):
    for seed in range(50):
        answer, _ = searched(PLAN, Subject(knee, noise=0.01, seed=seed, invalid=0.05))
        assert answer.load is not None
        assert abs(answer.load / knee - 1) <= 0.05, (seed, answer)
        assert answer.confirmed


@given(st.integers(1, 5_000), st.integers(1, 5_000), st.sampled_from([0.01, 0.03, 0.1]))
def test_a_subject_without_noise_is_bracketed_as_narrowly_as_asked(knee, start, precision):
    plan = SearchPlan(start=start, lowest=1, highest=10_000, precision=precision, budget=math.inf)
    answer, _ = searched(plan, Subject(knee, noise=0, seed=0))
    assert answer.load <= knee < answer.below
    assert answer.below - answer.load <= max(1, precision * answer.below)


def test_no_load_is_tried_that_is_more_than_double_what_was_kept():
    _, steps = searched(PLAN, Subject(900, noise=0, seed=0))
    kept = PLAN.start / 2
    for step in steps:
        assert step.load <= 2 * kept
        kept = max(kept, step.load if step.result == "met" else 0)


def test_one_wrong_step_below_the_knee_does_not_decide():
    results = iter(["missed"])
    subject = Subject(1_000, noise=0, seed=0)

    def wrong_once(load):
        return next(results, None) or subject(load)

    answer, _ = searched(PLAN, wrong_once)
    assert abs(answer.load / 1_000 - 1) <= 0.05


def test_invalid_steps_are_no_votes():
    answer, steps = searched(PLAN, Subject(300, noise=0, seed=3, invalid=0.3))
    assert any(step.result == "invalid" for step in steps)
    assert answer.load <= 300 < answer.below


def test_a_load_at_which_the_generator_is_never_valid_bounds_the_answer():
    answer, _ = searched(PLAN, Subject(10_000, noise=0, seed=0, reach=500))
    assert answer.below is None
    assert 0.97 * 500 - 1 <= answer.load < 500
    assert "could be trusted" in answer.ended


def test_what_is_never_valid_has_no_answer():
    answer, steps = searched(PLAN, Subject(100, noise=0, seed=0, reach=1))
    assert (answer.load, answer.below, answer.confirmed) == (None, None, False)
    assert "could be trusted" in answer.ended
    assert len(steps) <= 20


def test_a_subject_that_dies_is_not_asked_for_ever():
    first = iter(["met"])
    answer, steps = searched(PLAN, lambda _load: next(first, "invalid"), seconds=0.5)
    assert not answer.confirmed
    assert len(steps) <= 40


def test_a_subject_that_answers_by_chance_is_given_up():
    turns = itertools.cycle(["met", "missed"])
    answer, steps = searched(PLAN, lambda _load: next(turns))
    assert len(steps) <= MOST_STEPS
    assert not answer.confirmed or answer.load is not None


@pytest.mark.parametrize(
    ("knee", "load", "below", "says"),
    [(0.5, None, 1, "1 was not kept"), (1e9, 100_000, None, "100000 was kept")],
)
def test_the_bounds_are_answers_too(knee, load, below, says):
    answer, _ = searched(PLAN, Subject(knee, noise=0, seed=0))
    assert (answer.load, answer.below, answer.confirmed) == (load, below, True)
    assert says in answer.ended


def test_the_budget_ends_it_with_what_is_known_and_says_that_it_is_not_sure():
    plan = SearchPlan(start=20, lowest=1, highest=100_000, precision=0.01, budget=400)
    answer, steps = searched(plan, Subject(1_000, noise=0, seed=0), seconds=40)
    assert sum(step.seconds for step in steps) <= 400
    assert answer.load <= 1_000 < answer.below
    assert not answer.confirmed
    assert "time" in answer.ended


@pytest.mark.parametrize(
    "wrong",
    [
        {"lowest": 0},
        {"start": 5, "lowest": 10},
        {"start": 20, "highest": 10},
        {"precision": 0},
        {"precision": 1},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=r"has to be|does not hold"):
        SearchPlan(**{"start": 20, "lowest": 1, "highest": 100, "precision": 0.03, "budget": 60, **wrong})
