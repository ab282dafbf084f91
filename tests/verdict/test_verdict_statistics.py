"""The mathematics on arrays: what is estimated is what went in, and what is promised of errors holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

from nightbench.verdict.layers.baseline import Baseline, baseline_of, last
from nightbench.verdict.layers.holm import holm
from nightbench.verdict.layers.moderation import Noise, moderated, tails_of
from nightbench.verdict.layers.shift import shift
from nightbench.verdict.panel import median_variance
from nightbench.verdict.policy import Policy

LEAST = 0.0001


def drawn(nights: int, metrics: int, *, sigma=0.03, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sigma, (nights, metrics))


def baseline(logs: np.ndarray, *, winsor: float = 3.0) -> Baseline:
    chosen = np.isfinite(logs)
    blocks = np.full(logs.shape, 3)
    return baseline_of(logs, blocks, chosen, winsor=winsor, least=np.full(logs.shape[1], LEAST))


def test_holm_as_in_the_books() -> None:
    adjusted, factors = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert factors.tolist() == [3, 1, 2, 4]
    assert holm(np.array([]))[0].size == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_only_raises(values: list[float]) -> None:
    p = np.array(values)
    adjusted, _ = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= 1).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()


@pytest.mark.parametrize("blocks", [1, 2, 3, 5, 9])
def test_the_variance_of_a_median_is_what_it_is(blocks: int) -> None:
    medians = np.median(drawn(100_000, blocks, sigma=1.0), axis=1)
    assert float(median_variance(blocks)) == pytest.approx(medians.var(), rel=0.03)


def test_the_variance_of_many_blocks_goes_on_from_that_of_nine() -> None:
    found = median_variance(np.arange(1, 30))
    assert (np.diff(found[[0, 2, 4, 6, 8, 10, 12, 20]]) < 0).all()
    assert found[10] == pytest.approx(np.pi / 22)


@pytest.mark.parametrize("nights", [5, 10, 15, 20])
def test_winsorising_does_not_make_normal_noise_smaller(nights: int) -> None:
    found = baseline(drawn(nights, 20_000))
    assert np.mean(found.variance) == pytest.approx(0.03**2, rel=0.03)
    assert np.mean(found.centre) == pytest.approx(0, abs=0.0002)


def test_a_night_far_out_counts_as_much_as_a_robust_bound() -> None:
    logs = drawn(20, 200)
    spiked = logs.copy()
    spiked[7] += 1.0
    plain, tamed = baseline(spiked, winsor=1e9), baseline(spiked)
    assert np.median(np.sqrt(tamed.variance)) < 0.045
    assert np.median(np.sqrt(plain.variance)) > 0.2
    assert abs(np.median(tamed.centre)) < 0.01


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.4])
def test_two_nights_of_another_level_are_no_spikes(share: float) -> None:
    logs = drawn(20, 200)
    logs[: round(20 * share)] += 0.5
    found = baseline(logs)
    assert found.centre.mean() == pytest.approx(0.5 * share, abs=0.01)
    assert np.sqrt(found.variance).mean() == pytest.approx(0.5 * np.sqrt(share * (1 - share)), rel=0.1)


def test_three_robust_deviations_are_what_the_farthest_night_counts() -> None:
    steps = np.linspace(-0.09, 0.09, 19)
    logs = np.append(steps, 1.0)[:, np.newaxis]
    middle = np.median(logs)
    reach = Policy().winsor * 1.4826 * np.median(np.abs(logs - middle))
    assert reach == pytest.approx(3 * 1.4826 * 0.05)
    assert baseline(logs, winsor=Policy().winsor).centre[0] == pytest.approx((middle + reach) / 20)


def test_the_last_nights_are_those_that_have_a_value() -> None:
    eligible = np.array([[1, 0], [1, 1], [0, 1], [1, 0], [1, 0]], dtype=bool)
    assert last(eligible, 2).tolist() == [[0, 0], [0, 1], [0, 1], [1, 0], [1, 0]]
    assert last(eligible, 9).tolist() == eligible.tolist()


def noise_of(
    variance: np.ndarray, nights: int, *, family: np.ndarray | None = None, most: float = 10
) -> Noise:
    size = len(variance)
    return moderated(
        variance,
        np.full(size, nights),
        np.zeros(size, dtype=int) if family is None else family,
        np.ones(size, dtype=bool),
        most=most,
        least=np.full(size, LEAST),
    )


def test_metrics_of_one_noise_are_moderated_as_the_formula_has_it() -> None:
    found = baseline(drawn(10, 30))
    noise = noise_of(found.variance, 10)
    prior = 19 * noise.sigma[0] ** 2 / 10 - 9 * found.variance[0] / 10  # (10·s0² + 9·s²) / 19
    assert np.sqrt(prior) == pytest.approx(0.03, rel=0.12)
    assert noise.sigma**2 == pytest.approx((10 * prior + 9 * found.variance) / 19)
    assert set(noise.freedom) == {19.0}


@pytest.mark.parametrize("nights", [10, 20])
@pytest.mark.parametrize("alike", [None, 6.0], ids=["one noise", "noises as the model has them"])
def test_what_a_family_has_in_common_is_not_drawn_low(nights: int, alike: float | None) -> None:
    """Of a metric that knows nothing itself, the others' noise is expected."""
    random = np.random.default_rng(9)
    found = []
    for _ in range(300):
        spread = 1.0 if alike is None else np.sqrt(alike / random.chisquare(alike, 30))
        variance = baseline(random.normal(0, 0.03, (nights, 30)) * spread).variance
        noise = noise_of(variance, nights)
        weight = noise.freedom - (nights - 1)
        common = (noise.sigma**2 * noise.freedom - variance * (nights - 1)) / weight
        found.append(common[0] / 0.03**2)
    assert np.mean(found) == pytest.approx(1, abs=0.035)


def test_metrics_of_many_noises_are_left_to_their_own() -> None:
    sigma = np.geomspace(0.01, 0.15, 30)
    found = baseline(drawn(10, 30, sigma=sigma))
    noise = noise_of(found.variance, 10)
    assert noise.freedom[0] < 9 + 3
    assert np.median(noise.sigma / sigma) == pytest.approx(1, abs=0.12)
    assert noise.sigma[-5:] == pytest.approx(sigma[-5:], rel=0.45)  # not drawn down to the others'


def test_how_many_teach_bounds_how_much_is_learnt() -> None:
    assert noise_of(np.full(1, 0.0009), 10).freedom.tolist() == [9]
    assert noise_of(np.full(3, 0.0009), 10).freedom.tolist() == [11] * 3
    apart = noise_of(np.full(30, 0.0009), 10, family=np.repeat([0, 1], [28, 2]))
    assert apart.freedom[[0, -1]].tolist() == [19, 10]


def test_noise_is_never_less_than_the_least_nor_known_from_one_night() -> None:
    noise = moderated(
        np.array([0.0, 0.0, np.nan]),
        np.array([10, 10, 1]),
        np.zeros(3, dtype=int),
        np.ones(3, dtype=bool),
        most=10,
        least=np.array([0.01, 0.02, 0.01]),
    )
    assert (noise.sigma[:2] >= [0.01, 0.02]).all()
    assert (noise.sigma[:2] < 0.021).all()
    assert np.isnan(noise.sigma[2])


@pytest.mark.parametrize(("degrees", "low", "high"), [(None, 20, 101), (3, 3, 6)])
def test_heavy_tails_are_seen_and_normal_ones_are_not(degrees: int | None, low: float, high: float) -> None:
    random = np.random.default_rng(3)
    found = []
    for _ in range(40):
        z = random.standard_normal((20, 15)) if degrees is None else random.standard_t(degrees, (20, 15))
        levels = baseline(0.02 * z)
        residuals = (0.02 * z - levels.centre) / noise_of(levels.variance, 20).sigma
        found.append(tails_of(residuals, np.ones(z.shape, dtype=bool), np.zeros(15, dtype=int))[0])
    assert low <= np.median(found) <= high


def test_one_disturbed_night_says_nothing_of_the_tails() -> None:
    residuals = np.random.default_rng(3).standard_normal((11, 6)).clip(-2, 2)
    known, family = np.ones(residuals.shape, dtype=bool), np.zeros(6, dtype=int)
    quiet = tails_of(residuals, known, family)
    residuals[4] = 8
    assert np.array_equal(tails_of(residuals, known, family), quiet)
    residuals[7] = 8
    assert (tails_of(residuals, known, family) == 3).all()


def level_after(nights: int, rise: float, *, seed: int, metrics: int = 4000):
    """Metrics of one noise that are `rise` higher tonight."""
    logs = drawn(nights + 1, metrics, seed=seed)
    found = baseline(logs[:-1])
    noise = noise_of(found.variance, nights)
    return shift(logs[-1] + rise, found, noise, np.ones(metrics))


@pytest.mark.parametrize("nights", [10, 20])
def test_p_is_no_smaller_than_chance(nights: int) -> None:
    p = level_after(nights, 0.0, seed=4, metrics=40_000).p(np.ones(40_000))
    for level in (0.5, 0.1, 0.01, 0.001):
        assert (p <= level).mean() <= level * 1.15
    assert (p <= 0.1).mean() >= 0.07


@pytest.mark.parametrize("nights", [10, 20])
def test_the_interval_holds_what_is_true(nights: int) -> None:
    low, high = level_after(nights, np.log(1.1), seed=5).interval
    assert ((low < 0.1) & (high > 0.1)).mean() == pytest.approx(0.95, abs=0.025)


def test_what_is_said_to_be_detectable_is_found_four_times_of_five() -> None:
    p = 0.01 / 30
    one = level_after(20, 0.0, seed=6)
    rise = float(np.median(one.detectable(p, np.full(4000, np.log(1.05)))))
    found = level_after(20, rise, seed=7)
    share = ((found.p(np.ones(4000)) <= p) & (found.difference >= np.log(1.05))).mean()
    assert share == pytest.approx(0.8, abs=0.06)


def test_a_floor_that_is_high_is_what_bounds_the_detectable() -> None:
    found = level_after(20, 0.0, seed=6)
    needed = found.detectable(0.5, np.full(4000, np.log(1.5)))
    assert (needed > np.log(1.5)).all()
    assert needed == pytest.approx(np.log(1.5) + 0.8416 * found.error, rel=0.001)


@settings(max_examples=20)
@given(st.floats(0.0001, 0.4), st.integers(3, 60))
def test_an_interval_and_its_p_agree(p: float, freedom: int) -> None:
    size = np.ones(1)
    levels = Baseline(nights=np.array([10]), centre=size * 0, variance=size, block_variance=size)
    noise = Noise(size * 0.1, size * freedom)
    at = -stdtrit(freedom, p) * 0.1 * np.sqrt(1.1)
    assert shift(size * at, levels, noise, size).p(size)[0] == pytest.approx(p)
