"""Tonight beside earlier nights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from builders import database_measurement, verdict_of, websocket_measurement, with_metric

from nightbench.history.store import HistoryStore
from nightbench.measurement import Measurement
from nightbench.plan import plan_hash
from nightbench.target import Target
from nightbench.verdict.comparison import HEADLINES, Comparison, compare

P95 = "message.response_time.p95"


def history(folder: Path, *measurements: Measurement):
    store = HistoryStore(folder)
    for measurement in measurements:
        store.save(measurement, verdict_of(measurement).targets)
    return store.past_metrics("websocket", "full", "local")


def nights(*values: float | None) -> list[Measurement]:
    return [
        with_metric(websocket_measurement(number=number), P95, value) for number, value in enumerate(values)
    ]


def change(comparison: Comparison, metric: str = P95):
    return next(each for each in comparison.changes if each.metric == metric)


def test_the_first_run_has_nothing_to_compare_with(tmp_path: Path) -> None:
    assert compare(websocket_measurement(), history(tmp_path)) == Comparison(runs=0)


def test_the_change_is_against_the_median(tmp_path: Path) -> None:
    past = history(tmp_path, *nights(10, 1000, 20))
    found = change(compare(with_metric(websocket_measurement(number=9), P95, 25), past))
    assert (found.tonight, found.baseline_median, found.change_percent, found.runs) == (25, 20, 25, 3)


def test_tonight_is_not_its_own_baseline(tmp_path: Path) -> None:
    tonight = websocket_measurement(number=1)
    past = history(tmp_path, websocket_measurement(number=0), tonight)
    assert compare(tonight, past).runs == 1


def test_later_runs_are_no_baseline(tmp_path: Path) -> None:
    past = history(tmp_path, websocket_measurement(number=5))
    assert compare(websocket_measurement(number=1), past).runs == 0


def test_runs_of_another_plan_are_left_out_and_counted(tmp_path: Path) -> None:
    past = history(tmp_path, websocket_measurement(number=0, users=77), websocket_measurement(number=1))
    found = compare(websocket_measurement(number=2), past)
    assert (found.runs, found.left_out) == (1, 1)


def test_runs_of_another_subject_are_left_out_and_counted(tmp_path: Path) -> None:
    def of(number: int, **subject: str) -> Measurement:
        return replace(websocket_measurement(number=number), subject=subject)

    past = history(
        tmp_path,
        of(0, kind="embedded", address="ws://127.0.0.1:1/"),
        of(1, kind="external", address="ws://staging/"),
        of(2, kind="external", address="ws://production/"),
    )
    for tonight in (
        of(9, kind="embedded", address="ws://127.0.0.1:2/"),
        of(9, kind="external", address="ws://staging/"),
    ):
        found = compare(tonight, past)
        assert (found.runs, found.left_out) == (1, 2)


def test_other_targets_make_no_other_plan() -> None:
    plan = websocket_measurement().plan
    stricter = plan.model_copy(update={"targets": (Target(metric=P95, op="<", limit=1),)})
    assert plan_hash(stricter) == plan_hash(plan)
    assert plan_hash(plan.model_copy(update={"duration": 1.0})) != plan_hash(plan)


def test_a_missing_value_tonight_has_no_change(tmp_path: Path) -> None:
    past = history(tmp_path, *nights(10))
    found = change(compare(with_metric(websocket_measurement(number=9), P95, None), past))
    assert (found.tonight, found.baseline_median, found.change_percent) == (None, 10, None)


def test_missing_values_before_are_not_counted(tmp_path: Path) -> None:
    past = history(tmp_path, *nights(10, None))
    found = change(compare(with_metric(websocket_measurement(number=9), P95, 10), past))
    assert (found.baseline_median, found.runs) == (10, 1)


@pytest.mark.parametrize("before", [0.0, None])
def test_without_a_median_to_divide_by_there_is_no_percentage(tmp_path: Path, before: float | None) -> None:
    past = history(tmp_path, *nights(before))
    found = change(compare(with_metric(websocket_measurement(number=9), P95, 5), past))
    assert (found.change_percent, found.baseline_median) == (None, before)


@pytest.mark.parametrize("measurement", [websocket_measurement(), database_measurement()])
def test_headlines_are_metrics_that_exist(measurement: Measurement) -> None:
    assert set(HEADLINES[measurement.suite]) <= {metric.name for metric in measurement.metrics}
