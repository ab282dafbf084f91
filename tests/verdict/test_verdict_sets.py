"""Two sets of runs: the effect and its interval, and where the noise behind it is known from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nightbench.verdict.sets.effects import set_effects

P95 = "message.response_time.p95"


def frame(rows: list[tuple[str, str, float]], **columns: Any) -> pd.DataFrame:
    """Rows of (night, metric, value); several of one night are its blocks."""
    found = pd.DataFrame(rows, columns=["night", "metric", "value"])
    return found.assign(**{"suite": "websocket", "tier": "full", "valid": True, "unit": "ms", **columns})


def nights(values: list[float] | np.ndarray, metric: str = P95, first: int = 0) -> pd.DataFrame:
    return frame([(f"n{first + place:03d}", metric, value) for place, value in enumerate(values)])


def effect(before: pd.DataFrame, after: pd.DataFrame, metric: str = P95, **options: Any):
    found = set_effects(before, after, **options)
    return next(each for each in found if each.metric == metric)


def noisy(rng: np.random.Generator, size: int, level: float = 100.0, sd: float = 0.03) -> np.ndarray:
    return level * np.exp(sd * rng.standard_normal(size))


def test_a_change_between_two_sets_is_found_with_its_interval() -> None:
    rng = np.random.default_rng(1)
    found = effect(nights(noisy(rng, 10)), nights(noisy(rng, 10, 115.0), first=50))
    assert found.effect == pytest.approx(0.15, abs=0.04)
    assert 0.1 < found.low < 0.15 < found.high < 0.2
    assert (found.standing, found.noise_of, found.nights) == ("worse", "sets", (10, 10))
    assert found.noise == pytest.approx(0.03, abs=0.015)


NAMES = [f"message[{number}].response_time.p95" for number in range(160)]


def measured(rng: np.random.Generator, size: int, blocks: int, first: int = 0) -> pd.DataFrame:
    """So many nights of so many blocks of `NAMES`, every run with the same noise."""
    places = pd.MultiIndex.from_product([range(first, first + size), range(blocks), NAMES])
    columns = {"night": places.get_level_values(0).astype(str), "metric": places.get_level_values(2)}
    values = noisy(rng, len(places))
    return pd.DataFrame({**columns, "value": values, "suite": "websocket", "tier": "full", "valid": True})


@pytest.mark.parametrize(
    ("before", "after", "earlier"),
    [
        ((2, 1), (3, 1), None),
        ((10, 1), (10, 1), None),
        ((15, 3), (1, 1), None),  # a repetition, or one block, against a baseline of nights
        ((6, 3), (6, 1), None),
        ((1, 1), (1, 1), (20, 1)),
        ((1, 1), (1, 1), (20, 3)),
        ((1, 3), (1, 3), (20, 1)),
    ],
    ids=str,
)
def test_the_interval_covers_no_change_95_times_in_100(
    before: tuple[int, int], after: tuple[int, int], earlier: tuple[int, int] | None
) -> None:
    rng = np.random.default_rng(2)
    known = None if earlier is None else measured(rng, *earlier)
    found = set_effects(measured(rng, *before, 50), measured(rng, *after, 80), earlier=known)
    covered = sum(each.low <= 0 <= each.high for each in found)
    assert 0.9 < covered / len(NAMES) < 0.99


@pytest.mark.parametrize(
    ("metric", "higher", "standing"),
    [
        (P95, 1.3, "worse"),
        (P95, 0.7, "better"),
        ("message.throughput", 1.3, "better"),
        ("message.throughput", 0.7, "worse"),
    ],
)
def test_which_way_is_worse_depends_on_the_metric(metric: str, higher: float, standing: str) -> None:
    rng = np.random.default_rng(3)
    found = effect(nights(noisy(rng, 8), metric), nights(noisy(rng, 8, 100 * higher), metric), metric)
    assert found.standing == standing


def test_less_than_the_floor_does_not_matter_however_certain() -> None:
    rng = np.random.default_rng(4)
    found = effect(nights(noisy(rng, 40, sd=0.005)), nights(noisy(rng, 40, 103.0, sd=0.005)))
    assert found.standing == "small"
    assert found.low > 0


def test_the_other_way_round_the_sign_is_the_other() -> None:
    rng = np.random.default_rng(5)
    before, after = nights(noisy(rng, 6)), nights(noisy(rng, 4, 120.0))
    there, back = effect(before, after), effect(after, before)
    assert (1 + there.effect) * (1 + back.effect) == pytest.approx(1)
    assert (1 + there.low) * (1 + back.high) == pytest.approx(1)
    assert (there.before, there.after) == (back.after, back.before)


def earlier_nights(size: int) -> pd.DataFrame:
    return nights(noisy(np.random.default_rng(6), size, sd=0.04), first=-size)


CALIBRATED = pd.DataFrame(
    [("websocket", "full", P95, 10, 100.0, 1.0, 4.0)],
    columns=["suite", "tier", "metric", "runs", "mean", "within_sd", "between_sd"],
)


@pytest.mark.parametrize(
    ("known", "noise_of", "noise"),
    [
        ({}, "nothing", None),
        ({"calibrated": CALIBRATED}, "calibration", 0.04),
        ({"earlier": earlier_nights(20)}, "earlier nights", 0.04),
        ({"earlier": earlier_nights(20), "calibrated": CALIBRATED}, "earlier nights", 0.04),
        ({"earlier": earlier_nights(4), "calibrated": CALIBRATED}, "calibration", 0.04),
        ({"earlier": earlier_nights(4)}, "nothing", None),
    ],
)
def test_one_run_a_side_borrows_the_noise_that_is_known(
    known: Any, noise_of: str, noise: float | None
) -> None:
    found = effect(nights([100.0]), nights([110.0], first=1), **known)
    assert found.effect == pytest.approx(0.1)
    assert found.noise_of == noise_of
    if noise is None:
        assert (found.low, found.p, found.noise, found.standing) == (None, None, None, "unknown")
    else:
        assert found.noise == pytest.approx(noise, abs=0.015)
        assert found.low < 0.1 < found.high


def test_a_level_that_changed_among_the_earlier_nights_hardly_counts() -> None:
    rng = np.random.default_rng(7)
    stepped = nights(np.concatenate([noisy(rng, 10), noisy(rng, 10, 150.0)]))
    found = effect(nights([100.0], first=50), nights([100.0], first=51), earlier=stepped)
    assert found.noise < 0.1


def test_invalid_earlier_nights_tell_nothing() -> None:
    found = effect(nights([100.0]), nights([110.0]), earlier=earlier_nights(20).assign(valid=False))
    assert found.noise_of == "nothing"


def test_a_set_of_one_takes_the_spread_of_the_other() -> None:
    rng = np.random.default_rng(8)
    found = effect(nights(noisy(rng, 10)), nights([130.0], first=50), earlier=earlier_nights(20))
    assert (found.noise_of, found.nights, found.standing) == ("one set", (10, 1), "worse")


def test_blocks_of_a_night_are_one_value_and_the_last_resort() -> None:
    before = frame([("a", P95, value) for value in (98.0, 100.0, 104.0)])
    after = frame([("b", P95, value) for value in (108.0, 110.0, 111.0)])
    found = effect(before, after)
    assert (found.before, found.after, found.nights) == (pytest.approx(100), pytest.approx(110), (1, 1))
    assert found.noise_of == "blocks"
    # the runs differ by 2.3 %, the median of three by 0.67 of that
    assert found.noise == pytest.approx(0.0155, abs=0.002)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([0.0, 0.0], [3.0, 4.0], None),
        ([-1.0, 2.0], [3.0, 4.0], None),
        ([math.nan], [3.0], None),
        ([math.inf], [3.0], None),
    ],
)
def test_what_has_no_logarithm_has_no_interval(
    before: list[float], after: list[float], expected: float | None
) -> None:
    found = effect(nights(before), nights(after))
    assert (found.effect, found.low, found.standing) == (expected, None, "unknown")


def test_a_metric_of_one_side_alone_is_shown_as_missing_on_the_other() -> None:
    before, after = nights([1.0, 2.0], "pool.wait.p95"), nights([3.0, 3.0])
    found = {each.metric: each for each in set_effects(before, after)}
    assert list(found) == [P95, "pool.wait.p95"]
    assert (found[P95].before, found[P95].after) == (None, pytest.approx(3))
    assert found["pool.wait.p95"].after is None


def test_many_metrics_raise_the_bar_for_each() -> None:
    rng = np.random.default_rng(9)
    names = [f"query[{number}].execute_time.p95" for number in range(30)]
    before = pd.concat([nights(noisy(rng, 10), name) for name in names])
    after = pd.concat([nights(noisy(rng, 10), name) for name in names])
    found = set_effects(before, after)
    assert any(not each.low <= 0 <= each.high for each in found)
    assert {each.standing for each in found} == {"same"}
    assert all(each.p_adjusted >= each.p for each in found)


def test_nothing_on_both_sides_is_nothing() -> None:
    assert set_effects(nights([]), nights([])) == ()
