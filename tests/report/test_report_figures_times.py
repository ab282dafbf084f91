"""The figures of a run's times: what they show is what the stored histograms say, and nothing that these do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from stored import websocket_run, window

from nightbench.history.runs import StoredRun
from nightbench.load.histogram import Histogram
from nightbench.report.charts.figure import Figure
from nightbench.report.charts.numbers import rounded_or_none
from nightbench.report.figures.course import MOST_PARTS, Course, course_of
from nightbench.report.figures.distribution import distribution
from nightbench.report.figures.heat_map import MOST_CELLS, heat_map
from nightbench.report.figures.over_time import QUANTILES, over_time
from nightbench.report.layout import number

durations = st.floats(0.001, 1e6)
seconds = st.lists(
    st.tuples(st.lists(durations, max_size=30), st.integers(0, 3)).filter(lambda each: each[0] or each[1]),
    min_size=2,
    max_size=12,
)
"""Of each second the durations in ms, and how many never came."""

DRAWN = settings(max_examples=12, phases=(Phase.explicit, Phase.reuse, Phase.generate))
"""Of each example Altair makes a chart, which takes longer than all else together; to shrink one would take minutes."""

Seconds = list[tuple[list[float], int]]


def run_of(parts: Seconds, *, every: int = 1) -> StoredRun:
    return websocket_run(
        [window(second * every, values, never=never) for second, (values, never) in enumerate(parts)]
    )


def course(run: StoredRun, **limits: int) -> Course:
    found = course_of(run.windows, "message", "response_time", **limits)
    assert found is not None
    return found


def measured(*parts: tuple[list[float], int]) -> Histogram:
    """What the load test itself would read percentiles from."""
    whole = Histogram()
    for values, never in parts:
        whole.add(np.array([round(value * 1e6) for value in values], dtype=np.int64))
        whole.add_beyond(never)
    return whole


def course_figure(run: StoredRun) -> Figure | None:
    return over_time(run, course(run), key="over-time", what="Message latency over the run")


def cells(figure: Figure) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = figure.spec["datasets"]["cells"]
    return found


@DRAWN
@given(seconds)
def test_the_percentiles_of_each_second_are_those_of_its_histogram_and_missing_where_these_are(parts):
    figure = course_figure(run_of(parts))
    for place, part in enumerate(parts):
        expected = {name: measured(part).quantile_ms(quantile) for name, quantile in QUANTILES.items()}
        if figure is None:
            assert set(expected.values()) == {None}
            continue
        row = figure.spec["datasets"]["parts"][place]
        assert (row["begin"], row["n"], row.get("never", 0)) == (place, measured(part).total, part[1])
        for name, value in expected.items():
            assert (row[name] is None) == (value is None)
            if value is not None:  # the largest of a second is stored to three digits alone
                assert row[name] == pytest.approx(value, rel=1.1e-3, abs=1e-3)


@given(seconds, st.integers(1, 40))
def test_however_few_columns_there_are_they_have_the_samples_of_the_whole_run(parts, most):
    found = course(run_of(parts, every=7), most=most)
    whole = measured(*parts)
    assert (found.whole.n, found.whole.never) == (whole.total, whole.beyond)
    assert (found.whole.counters[:-1] == whole.counts).all()
    assert len(list(found.every_part())) <= most + 1
    assert sum(part.n for part in found.every_part()) == whole.total


@DRAWN
@given(seconds)
def test_the_cells_of_the_heat_map_add_up_to_what_came_and_the_strip_to_what_never_did(parts):
    whole, figure = measured(*parts), heat_map(run_of(parts), course(run_of(parts)), what="Heat map")
    if not whole.n:
        assert figure is None
        return
    assert figure is not None
    assert sum(cell["n"] for cell in cells(figure)) == whole.n
    assert all(cell["n"] for cell in cells(figure))
    assert sum(cell["n"] for cell in figure.spec["datasets"]["never"]) == whole.beyond
    assert sum(int(row[1].replace(",", "")) for row in figure.table.rows) == whole.total


@DRAWN
@given(seconds, st.lists(seconds, max_size=3))
def test_the_distribution_of_the_baseline_is_that_of_its_nights_merged(parts, nights):
    run = run_of(parts)
    figure = distribution(run, course(run), [course(run_of(night), most=1) for night in nights], what="It")
    before, after = measured(*(part for night in nights for part in night)), measured(*parts)
    if figure is None:
        assert after.n == 0
        return
    for name, tonight, *baseline in (row[:3] for row in figure.table.rows):
        quantile = float(name.removeprefix("P")) / 100
        assert_shown(tonight, after.quantile_ms(quantile))
        assert len(baseline) == bool(nights)
        for shown in baseline:
            assert_shown(shown, before.quantile_ms(quantile))


def assert_shown(shown: str, value: float | None) -> None:
    assert (shown == "–") == (value is None)
    if value is not None:
        assert float(shown.removesuffix(" ms").replace(",", "")) == pytest.approx(value, rel=6e-3, abs=2e-3)


def test_a_percentile_with_too_few_samples_is_missing_and_the_words_say_so():
    figure = course_figure(run_of([([20.0] * 50, 0)] * 3))
    assert figure is not None
    assert [row["P99"] for row in figure.spec["datasets"]["parts"]] == [None] * 3
    assert {row[-1] for row in figure.table.rows} == {"–"}
    assert "too few samples for P99" in figure.alt
    assert "no P99: P99 needs 100 samples a point" in figure.spec["title"]["subtitle"]


def test_a_percentile_among_those_that_never_came_is_a_gap():
    figure = course_figure(run_of([([20.0] * 90, 0), ([20.0] * 50, 40), ([20.0] * 90, 0)]))
    assert figure is not None
    assert [row["P95"] is None for row in figure.spec["datasets"]["parts"]] == [False, True, False]
    assert figure.alt.endswith("; 40 never came.")


def test_seconds_without_operations_are_gaps_and_not_bridged():
    run = websocket_run([window(second, [20.0] * 30) for second in (0, 1, 5)])
    figure = course_figure(run)
    assert figure is not None
    rows = figure.spec["datasets"]["parts"]
    assert [(row["n"], row["P50"] is None) for row in rows[1:5]] == [(30, False), *[(0, True)] * 3]


def test_what_is_stored_as_a_whole_has_no_course_and_no_map_but_a_distribution():
    run = websocket_run([window(-3, [20.0] * 200, seconds=8)])
    found = course(run)
    assert (found.first, found.end) == (-3, 5)
    assert course_figure(run) is None
    assert heat_map(run, found, what="It") is None
    assert distribution(run, found, [], what="It") is not None


@pytest.mark.parametrize(
    ("length", "width", "columns", "each"),
    [(8, 1, 8, 1), (120, 1, 120, 1), (300, 1, 100, 3), (600, 1, 120, 5), (3600, 16, 113, 32)],
)
def test_a_long_run_has_columns_of_a_round_width_and_no_more_than_there_is_room_for(
    length, width, columns, each
):
    rows = [window(second, [20.0], seconds=width) for second in range(0, length, width)]
    found = course(websocket_run(rows))
    assert (len(found.parts), found.seconds) == (columns, each)
    assert columns <= MOST_PARTS


def test_a_map_of_a_wide_and_long_run_stays_small():
    rng = np.random.default_rng(1)
    run = websocket_run([window(second, rng.lognormal(3, 2.5, 60)) for second in range(240)])
    figure = heat_map(run, course(run), what="Heat map")
    assert figure is not None
    assert len(cells(figure)) <= MOST_CELLS
    assert sum(cell["n"] for cell in cells(figure)) == 240 * 60


def test_a_slower_night_is_told_with_how_sure_that_is():
    rng = np.random.default_rng(2)

    def night(median: float) -> StoredRun:
        return websocket_run([window(second, rng.lognormal(np.log(median), 0.3, 60)) for second in range(12)])

    tonight = night(30.0)
    figure = distribution(
        tonight, course(tonight), [course(night(20.0), most=1) for _ in range(6)], what="It"
    )
    assert figure is not None
    bands = figure.spec["datasets"]["bands"]
    assert [band["at"] for band in bands] == pytest.approx([0.301, 0.602, 1.0, 1.301, 2.0], abs=1e-3)
    low, _, high = figure.table.rows[0][4].removesuffix(" %").partition(" to ")
    assert 30 < float(low) < 50 < float(high) < 75
    assert "6 earlier nights, 4,320 samples" in figure.alt
    legends = [layer["encoding"].get("strokeDash", {}) for layer in figure.spec["layer"]]
    assert all("legend" not in legend for legend in legends)  # without one, that of the colours goes as well


def test_a_quantile_that_came_in_some_nights_and_seconds_alone_has_a_band_without_an_end():
    well, badly = ([20.0 + place for place in range(100)], 0), ([20.0 + place for place in range(88)], 12)
    tonight = run_of([badly if second % 3 == 0 else well for second in range(12)])
    nights = [run_of([part] * 4) for part in (well, badly, well)]
    figure = distribution(tonight, course(tonight), [course(night) for night in nights], what="It")
    assert figure is not None
    bands = {row[0]: row[4] for row in figure.table.rows}
    assert (bands["P95"].endswith(" to no end"), bands["P99"]) == (True, "–")
    drawn = [band["at"] for band in figure.spec["datasets"]["bands"]]
    assert drawn == pytest.approx([0.301, 0.602], abs=1e-3)  # P50 and P75


def test_one_earlier_night_does_not_show_how_nights_differ():
    run = run_of([([20.0 + second for second in range(60)], 0)] * 8)
    figure = distribution(run, course(run), [course(run)], what="It")
    assert figure is not None
    assert figure.spec["datasets"]["bands"] == []
    assert "no bands: too few samples or nights" in figure.spec["title"]["subtitle"]


@given(st.none() | st.floats(allow_nan=True, allow_infinity=True))
def test_a_number_of_a_chart_is_json_and_looks_as_before(value):
    short = rounded_or_none(value)
    if short is None:
        assert value is None or not np.isfinite(value)
    else:
        assert short == pytest.approx(value, rel=5e-5)


def test_what_is_nearly_all_is_not_all():
    assert number(rounded_or_none(99.9996, "%"), "%") == number(99.9996, "%") == "99.999 %"
