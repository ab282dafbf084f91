"""Where the numbers of the policy stand that are about tonight and the last three nights: each has a night on either side."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from judged import METRIC, history, line, noisy, series, tonight
from scipy.special import stdtr

from nightbench.verdict import Line, Policy, judge

MANY = tuple(f"message.more{number}.p50" for number in range(8))


def quiet(nights: int, *later: float) -> pd.DataFrame:
    """A metric that never moved, and then did."""
    return series(METRIC, [20.0] * nights + list(later))


def value_at(level: float, p_of: Callable[[float], float]) -> float:
    """The value whose p is that, by secants of its logarithm."""
    (one, off), value = (21.1, math.log(p_of(21.1) / level)), 21.4
    for _ in range(4):
        other = math.log(p_of(value) / level)
        one, off, value = value, other, value - other * (value - one) / (other - off)
    return value


def p_adjusted(found: Line) -> float:
    assert found.p_adjusted is not None
    return found.p_adjusted


@pytest.mark.parametrize(("judgements", "level"), [(1, 0.01), (3, 0.01 / 3)])
@pytest.mark.parametrize(("times", "state"), [(0.98, "suspect"), (1.02, "steady")])
def test_tonight_is_judged_at_one_percent_that_the_tiers_share(judgements, level, times, state):
    past = history(20)
    value = value_at(level * times, lambda value: p_adjusted(line(judge(past, tonight(20, value)))))
    assert line(judge(past, tonight(20, value), policy=Policy(judgements=judgements))).state == state


@pytest.mark.parametrize(("judgements", "level"), [(1, 0.005), (3, 0.005 / math.sqrt(3))])
@pytest.mark.parametrize(("times", "state"), [(0.97, "regression"), (1.03, "steady")])
def test_three_nights_are_judged_at_half_a_percent_that_falls_by_the_root_of_the_tiers(
    judgements, level, times, state
):
    def judged(value: float, policy: Policy) -> Line:
        past = pd.concat([history(12), tonight(12, value), tonight(13, value)])
        return line(judge(past, tonight(14, value), policy=policy))

    lax = Policy(sustained_alpha=0.9, effect_floor=0.001)
    value = value_at(level * times, lambda value: p_adjusted(judged(value, lax)))
    found = judged(value, Policy(judgements=judgements, effect_floor=0.001))
    assert (found.state, found.layer) == (state, 3 if state == "regression" else None)


@pytest.mark.parametrize(
    ("metric", "usual", "value", "state"),
    [
        (METRIC, 20.0, 20.99, "steady"),
        (METRIC, 20.0, 21.01, "suspect"),
        ("message.throughput", 20.0, 19.01, "steady"),
        ("message.throughput", 20.0, 18.99, "suspect"),
        ("message.success_rate", 1.0, 0.9901, "steady"),
        ("message.success_rate", 1.0, 0.9899, "suspect"),
    ],
)
def test_less_than_the_floor_is_nothing(metric, usual, value, state):
    past = series(metric, [usual] * 20)
    assert line(judge(past, series(metric, [value], first=20)), metric).state == state


@pytest.mark.parametrize(("beside", "state"), [(-0.0005, "steady"), (0.0005, "regression")])
def test_of_three_bad_nights_the_last_is_off_by_half_of_the_floor(beside, state):
    past = quiet(12, 21.5, 21.5)
    centre = line(judge(past, series(METRIC, [20.6], first=14))).baseline
    assert centre is not None
    value = centre * math.exp(math.log(1.05) / 2 + beside)
    assert line(judge(past, series(METRIC, [value], first=14))).state == state


def test_nothing_counts_as_one_percent_of_the_usual():
    metric = "message.throughput"
    found = line(judge(series(metric, [20.0] * 20), series(metric, [0.0], first=20)), metric)
    assert found.effect == pytest.approx(-0.99)


def with_many(night: int, value: float) -> pd.DataFrame:
    return pd.concat([tonight(night, value), *(series(each, [20.0], first=night) for each in MANY)])


def long_history(far: float = 0.0) -> pd.DataFrame:
    """Twenty nights of 18 metrics, most of which have one night that is so far out."""
    others = []
    for seed, metric in enumerate(MANY, 20):
        values = noisy(20, seed=seed)
        values[seed % 20] *= 1 + far
        others.append(series(metric, values))
    return pd.concat([history(20), *others])


def test_ten_nights_of_the_others_are_the_most_that_a_metric_learns():
    found = line(judge(long_history(), with_many(20, 21.5)))
    assert found.p == pytest.approx(p_with(found, 19 + 10))


def test_heavy_tails_of_the_others_make_a_metric_harder_to_suspect():
    found = line(judge(long_history(far=0.25), with_many(20, 21.5)))
    assert found.p == pytest.approx(p_with(found, 3))


def p_with(found: Line, freedom: float) -> float:
    """The p of a line if its noise had been known from so many degrees of freedom."""
    assert found.effect is not None
    assert found.noise is not None
    return float(stdtr(freedom, -np.log1p(found.effect) / (found.noise * np.sqrt(1 + 1 / 20))))
