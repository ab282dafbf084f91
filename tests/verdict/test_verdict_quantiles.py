"""The quantile view: what moved is found, what did not is covered, and what cannot be known is missing."""

from __future__ import annotations

import numpy as np
import pytest

from nightbench.load.histogram import bucket_indices, encode_counts
from nightbench.measurement import Window
from nightbench.verdict.sets.quantiles import QUANTILES, quantile_view
from nightbench.verdict.sets.windowed import MOST_WINDOWS, NEVER_CAME, RunCounts

MS = 1e6


def run(
    rng: np.random.Generator,
    *,
    windows: int = 30,
    rate: int = 50,
    median_ms: float = 20.0,
    between: float = 0.0,
    width: int = 1,
) -> RunCounts:
    """A run of log-normal durations, whose level wanders a little from second to second."""
    level = np.log(median_ms * MS) + between * rng.standard_normal()
    levels = np.repeat(level + 0.05 * rng.standard_normal(windows), rate)
    buckets = bucket_indices(rng.lognormal(levels, 0.4).astype(np.int64))
    of_window = np.repeat(np.arange(windows), rate) // width
    keys, counts = np.unique(of_window * (NEVER_CAME + 1) + buckets, return_counts=True)
    return RunCounts(keys // (NEVER_CAME + 1), keys % (NEVER_CAME + 1), counts, -(-windows // width))


def stored(durations_ms: list[float], *, second: int = 0, never: int = 0, seconds: int = 1) -> Window:
    values = (np.array(durations_ms) * MS).astype(np.int64)
    buckets, counts = np.unique(bucket_indices(values), return_counts=True)
    histogram = encode_counts(buckets, counts)
    return Window(second, seconds, "message", "response_time", values.size + never, histogram)


def view(before: RunCounts, after: RunCounts):
    return quantile_view([before], [after], resamples=1000)


def shift_of(found, quantile: float):
    return found.shifts[QUANTILES.index(quantile)]


@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_known_shift_is_recovered_whatever_the_width_of_the_windows(width: int) -> None:
    rng = np.random.default_rng(1)
    before = run(rng, windows=60, rate=200)
    after = run(rng, windows=60, rate=200, median_ms=24.0, width=width)
    found = view(before, after)
    for quantile in (0.5, 0.75, 0.9, 0.95):
        shift = shift_of(found, quantile)
        assert shift.low < 0.2 < shift.high
        assert shift.low > 0.1
        assert shift.shift == pytest.approx(0.2, abs=0.05)
    assert found.distance == pytest.approx(0.2, abs=0.05)
    assert found.samples == (12_000, 12_000)


@pytest.mark.parametrize("runs", [(1, 1), (3, 3)], ids=str)
def test_where_nothing_moved_the_band_has_nothing_in_it_mostly(runs: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    trials, covered = 40, np.zeros(len(QUANTILES))
    for _ in range(trials):
        before, after = ([run(rng, between=0.03 * (min(runs) > 1)) for _ in range(size)] for size in runs)
        for place, shift in enumerate(quantile_view(before, after, resamples=300).shifts[:4]):
            covered[place] += shift.low <= 0 <= shift.high
    # 95 % of 40 is 38; at 90 % fewer than 32 come twice in a hundred
    assert covered[:4].min() >= 32
    # a band that is everything is none
    assert covered[:4].sum() < 4 * trials or runs == (3, 3)


def test_the_other_way_round_the_sign_is_the_other() -> None:
    rng = np.random.default_rng(3)
    before, after = run(rng), run(rng, median_ms=26.0)
    there, back = view(before, after), view(after, before)
    for one, other in zip(there.shifts, back.shifts, strict=True):
        assert (1 + one.shift) * (1 + other.shift) == pytest.approx(1)
        assert (one.before, one.after) == (other.after, other.before)
        if one.low is not None:
            assert (1 + one.low) * (1 + other.high) == pytest.approx(1, rel=0.1)
    assert there.distance > 0 < back.distance


def test_it_is_the_same_each_time() -> None:
    rng = np.random.default_rng(4)
    before, after = run(rng), run(rng)
    assert view(before, after) == view(before, after)


def test_a_percentile_of_too_few_samples_is_missing() -> None:
    few = RunCounts.of([stored([10.0, 11.0, 12.0] * 10)])
    found = view(few, few)
    values = {shift.quantile: shift.before for shift in found.shifts}
    assert values[0.95] is not None
    assert (values[0.99], values[0.999]) == (None, None)
    assert shift_of(found, 0.99).shift is None


def test_a_band_takes_samples_beyond_the_quantile() -> None:
    rng = np.random.default_rng(5)
    found = view(run(rng, windows=30, rate=50), run(rng, windows=30, rate=50))
    with_band = {shift.quantile for shift in found.shifts if shift.low is not None}
    assert with_band == {0.5, 0.75, 0.9, 0.95, 0.99}
    assert shift_of(found, 0.999).shift is not None


@pytest.mark.parametrize("windows", [1, 2, 3])
def test_one_run_with_hardly_a_window_has_no_band_and_says_so(windows: int) -> None:
    rng = np.random.default_rng(6)
    found = view(run(rng), run(rng, windows=windows, rate=400))
    assert shift_of(found, 0.5).shift is not None
    assert shift_of(found, 0.5).low is None
    assert f"one run with {windows} window" in found.why


def test_what_never_came_has_the_highest_ranks() -> None:
    before = RunCounts.of([stored([10.0] * 100)])
    after = RunCounts.of([stored([10.0] * 94, never=6)])
    found = view(before, after)
    assert shift_of(found, 0.9).shift == 0
    assert (shift_of(found, 0.95).before, shift_of(found, 0.95).after) == (pytest.approx(10, rel=1e-3), None)
    assert found.at_least
    assert found.samples == (100, 100)


def test_a_quantile_at_the_edge_of_what_came_has_an_open_band() -> None:
    rng = np.random.default_rng(7)

    def windows(never: int) -> list[Window]:
        return [
            stored(list(rng.lognormal(np.log(20), 0.3, 100 - never)), second=second, never=never)
            for second in range(20)
        ]

    quiet = RunCounts.of(windows(0))
    edge = RunCounts.of([*windows(1)[:10], *windows(8)[10:]])
    shift = shift_of(view(quiet, edge), 0.95)
    assert shift.after is not None
    assert shift.high is None
    assert shift.low is not None


def test_neighbouring_seconds_that_are_alike_widen_the_band() -> None:
    """Half a minute at another level is one event, not thirty."""
    rng = np.random.default_rng(8)
    steady = [stored(list(rng.lognormal(np.log(20), 0.1, 100)), second=at) for at in range(60)]
    levels = np.where(np.arange(60) < 30, 18.0, 22.0)
    halves = [stored(list(rng.lognormal(np.log(levels[at]), 0.1, 100)), second=at) for at in range(60)]
    mixed = [halves[at] for at in rng.permutation(60)]
    apart = [
        Window(at, 1, each.operation, each.quantity, each.n, each.histogram) for at, each in enumerate(mixed)
    ]
    bands = [shift_of(view(RunCounts.of(steady), RunCounts.of(windows)), 0.5) for windows in (halves, apart)]
    assert bands[0].high - bands[0].low > 1.2 * (bands[1].high - bands[1].low)


def test_windows_are_read_as_the_dataset_has_them() -> None:
    late, early = stored([30.0], second=4, seconds=4), stored([10.0, 10.0], second=-4, seconds=4, never=1)
    counts = RunCounts.of([late, early])
    assert counts.windows == 2
    assert counts.counts.sum() == 4
    assert (counts.of_window[-1], counts.buckets[counts.of_window == 0][-1]) == (1, NEVER_CAME)


def test_a_long_run_has_its_windows_put_together() -> None:
    counts = RunCounts.of([stored([10.0], second=at) for at in range(2 * MOST_WINDOWS + 1)])
    assert counts.windows <= MOST_WINDOWS
    assert counts.counts.sum() == 2 * MOST_WINDOWS + 1


def test_no_samples_and_no_histogram_are_told() -> None:
    with pytest.raises(ValueError, match="no samples"):
        RunCounts.of([])
    with pytest.raises(ValueError, match="second 7 cannot be decoded"):
        RunCounts.of([Window(7, 1, "message", "response_time", 1, b"no histogram")])
