"""Series too long to be looked at as a whole, and slopes, of which the documentation gives figures."""

import math
from unittest import mock

import numpy as np
import pytest

from nightbench.verdict import change_points
from nightbench.verdict.series import stretches
from nightbench.verdict.series.steps import Demands, lasting_steps
from nightbench.verdict.series.stretches import WHOLE, steps_of

RULES = Demands(largest_p=1e-4, least=math.log(1.05), segment=3)


def noise(count: int, seed: int, sigma: float = 0.02) -> np.ndarray:
    return sigma * np.random.default_rng(seed).standard_normal(count)


def stepped(count: int, every: int, seed: int, sigma: float = 0.02) -> tuple[np.ndarray, list[int]]:
    """Noise about two levels that take turns, and where they do."""
    cuts = list(range(every, count, every))
    levels = np.log(1.2) * (np.arange(count) // every % 2)
    return levels + noise(count, seed, sigma), cuts


@pytest.mark.parametrize(("count", "every"), [(401, 30), (700, 50), (1_000, 100), (2_000, 299), (1_203, 20)])
def test_a_long_series_has_the_steps_that_it_has(count: int, every: int) -> None:
    series, cuts = stepped(count, every, seed=count, sigma=0.01)
    assert [step.cut for step in steps_of(series, RULES)] == cuts


@pytest.mark.parametrize("seed", range(4))
def test_by_stretches_there_is_found_what_is_found_in_the_whole(seed: int) -> None:
    series, _ = stepped(600, 47, seed)
    whole = [step.cut for step in lasting_steps(series, RULES)]
    assert [step.cut for step in steps_of(series, RULES)] == whole


@pytest.mark.parametrize("at", range(293, 308))
def test_a_step_where_two_stretches_meet_is_told_once(at: int) -> None:
    series = noise(500, seed=at, sigma=0.03)
    series[at:] += math.log(1.12)
    (step,) = steps_of(series, RULES)
    assert abs(step.cut - at) <= 3


def test_two_stretches_that_place_a_step_differently_tell_it_once() -> None:
    """Each side of where the first hands over: neither twice nor not at all."""
    for first, second in ((299, 301), (301, 299), (296, 300), (304, 298)):
        series = noise(500, seed=1)
        step = lasting_steps(np.concatenate([np.zeros(20), np.ones(20)]), RULES)[0]
        told = [[stretches.replace(step, cut=first)], [stretches.replace(step, cut=second - 200)]]
        with mock.patch.object(stretches, "lasting_steps", side_effect=told):
            assert [each.cut for each in steps_of(series, RULES)] == [first if first < 300 else second]


def test_a_long_series_is_never_looked_at_as_a_whole() -> None:
    sizes = []

    def looked_at(levels, rules):
        sizes.append(len(levels))
        return lasting_steps(levels, rules)

    with mock.patch.object(stretches, "lasting_steps", side_effect=looked_at):
        steps_of(noise(4_000, seed=2), RULES)
    assert max(sizes) == WHOLE
    assert sum(sizes) <= 2 * 4_000 + WHOLE


def test_the_points_of_a_long_series_count_its_missing_values() -> None:
    values = 100 * np.exp(noise(900, seed=3))
    values[650:] *= 1.2
    values[100] = math.nan
    assert [point.index for point in change_points(values)] == [650]


@pytest.mark.parametrize(
    ("slope", "sigma", "least", "most"),
    [
        (0.001, 0.022, 0, 1),
        (0.002, 0.022, 12, 18),
        (0.005, 0.022, 18, 20),
        (0.01, 0.01, 0, 2),
        (0.02, 0.005, 0, 0),
    ],
)
def test_how_often_a_slope_is_told_is_as_documented(
    slope: float, sigma: float, least: int, most: int
) -> None:
    told = [
        bool(change_points(100 * np.exp(slope * np.arange(80) + noise(80, seed, sigma))))
        for seed in range(20)
    ]
    assert least <= sum(told) <= most
