"""The interval holds the knee as often as it says: on simulated subjects whose results swing around it."""

from __future__ import annotations

import math

import pytest
from capacity.simulated import Subject, searched

from nightbench.capacity.interval import interval_of
from nightbench.capacity.search import SearchPlan, Step

PLAN = SearchPlan(start=20, lowest=1, highest=100_000, precision=0.05, budget=math.inf)


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.05])
def test_it_holds_the_knee_in_19_of_20_searches(noise):
    held = []
    for seed in range(80):
        knee = 40.5 * 1.04**seed
        answer, steps = searched(PLAN, Subject(knee, noise=noise, seed=seed, invalid=0.05))
        low, high = interval_of(tuple(steps), answer)
        assert low <= answer.load < answer.below <= high
        held.append(low <= knee <= high)
    assert sum(held) >= 0.95 * len(held)


def test_it_is_not_much_wider_than_what_was_asked_for():
    answer, steps = searched(PLAN, Subject(1_000, noise=0, seed=0))
    low, high = interval_of(tuple(steps), answer)
    assert high / low < 1.2


def test_one_wrong_step_far_off_does_not_widen_it():
    answer, steps = searched(PLAN, Subject(1_000, noise=0, seed=0))
    low, high = interval_of(tuple(steps), answer)
    wrong = (Step(40, "missed", 40), Step(40, "met", 40), Step(40, "met", 40), *steps)
    assert interval_of(wrong, answer) == pytest.approx((low, high), rel=0.05)


def test_invalid_steps_and_those_out_of_reach_are_no_votes():
    answer, steps = searched(PLAN, Subject(300, noise=0, seed=0))
    beyond = [Step(2_000, "met", 40), *[Step(1_500, "invalid", 40)] * 3]
    assert interval_of((*beyond, *steps), answer) == interval_of(tuple(steps), answer)


@pytest.mark.parametrize("knee", [0.5, 1e9])
def test_a_knee_beyond_what_was_tried_has_one_end(knee):
    answer, steps = searched(PLAN, Subject(knee, noise=0, seed=0))
    assert interval_of(tuple(steps), answer) == (answer.load, answer.below)
    assert None in (answer.load, answer.below)
