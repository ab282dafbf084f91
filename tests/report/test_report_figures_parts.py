"""What failed, where time went and how the generator fared: the figures of a run's accounts and metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from stored import database_run, websocket_run

from nightbench.history.runs import StoredRun
from nightbench.report.figures.errors import MOST_BARS, errors
from nightbench.report.figures.generator import generator
from nightbench.report.figures.time_by_part import time_by_part

RUN, DATABASE = websocket_run(), database_run()


def with_account(run: StoredRun, details: dict[str, Any] | None = None, **accounts: Any) -> StoredRun:
    return replace(run, row={**run.row, "operations": accounts, "details": details or {}})


def with_metrics(run: StoredRun, *metrics: tuple[str, float | None, str]) -> StoredRun:
    rows = [(name, value, unit, 100) for name, value, unit in metrics]
    return replace(run, metrics=pd.DataFrame(rows, columns=["name", "value", "unit", "n"]))


def test_what_went_wrong_is_told_by_outcome_and_by_class_with_its_share_of_what_was_due():
    account = {
        "scheduled": 2000,
        "ok": 1600,
        "failed": 300,
        "timed_out": 50,
        "skipped": 40,
        "in_flight": 10,
        "errors": {"reply_timeout": 50, "close_1011": 300},
    }
    figure = errors(with_account(RUN, message=account))
    assert figure is not None
    assert figure.table.rows == (
        ("message: failed", "outcome", "300", "15.0 %"),
        ("message: timed out", "outcome", "50", "2.5 %"),
        ("message: skipped", "outcome", "40", "2.0 %"),
        ("message: in flight", "outcome", "10", "0.5 %"),
        ("message: close_1011", "error", "300", "15.0 %"),
        ("message: reply_timeout", "error", "50", "2.5 %"),
    )
    assert figure.alt.startswith(
        "What went wrong: message: failed 300 (15.0 %), message: timed out 50 (2.5 %)"
    )


def test_what_parts_of_an_operation_count_is_not_counted_twice():
    account = {"scheduled": 10, "ok": 9, "failed": 1, "errors": {"sqlstate_40001": 1}}
    figure = errors(with_account(DATABASE, **{"query": account, "query[expense_listing]": account}))
    assert figure is not None
    assert [row[0] for row in figure.table.rows] == ["query: failed", "query: sqlstate_40001"]


def test_what_was_lost_beside_the_operations_is_told_as_well_without_a_share():
    figure = errors(with_account(RUN, {"lost": {"close_1006": 3}, "stray": {}}))
    assert figure is not None
    assert figure.table.rows == (("lost connection: close_1006", "beside the operations", "3", "–"),)


def test_nothing_wrong_is_no_figure():
    assert errors(with_account(RUN, message={"scheduled": 10, "ok": 10, "failed": 0, "errors": {}})) is None


def test_of_many_classes_the_most_frequent_are_drawn_and_all_are_in_the_table():
    classes = {f"class_{number:02}": number + 1 for number in range(40)}
    figure = errors(with_account(RUN, message={"scheduled": 1000, "errors": classes}))
    assert figure is not None
    drawn = figure.spec["datasets"]["errors"]
    assert len(drawn) == MOST_BARS
    assert drawn[0]["label"] == "message: class_39"
    assert len(figure.table.rows) == 40
    assert figure.spec["title"]["subtitle"] == ["the 24 most frequent; 16 more are in the table"]


def test_database_time_is_split_and_the_means_tell_the_share_of_each_part():
    parts = {"pool.wait": 1.0, "query.begin_time": 2.0, "query.execute_time": 6.0, "query.commit_time": 1.0}
    statistics = [
        (f"{name}.{statistic}", mean * factor, "ms")
        for name, mean in parts.items()
        for statistic, factor in (("p50", 0.9), ("p95", 2.0), ("mean", 1.0))
    ]
    figure = time_by_part(with_metrics(DATABASE, *statistics, ("query.service_time.mean", 10.0, "ms")))
    assert figure is not None
    assert figure.table.rows == (
        ("pool wait", "0.900 ms", "2.00 ms", "1.00 ms", "10.0 %"),
        ("begin and tenant", "1.80 ms", "4.00 ms", "2.00 ms", "20.0 %"),
        ("execute", "5.40 ms", "12.00 ms", "6.00 ms", "60.0 %"),
        ("commit", "0.900 ms", "2.00 ms", "1.00 ms", "10.0 %"),
    )
    assert [row["ms"] for row in figure.spec["datasets"]["parts"]][:4] == [0.9, 2.0, 1.8, 4.0]


def test_the_phases_of_connecting_stand_beside_the_reply_and_those_not_measured_are_left_out():
    figure = time_by_part(
        with_metrics(
            RUN,
            ("connection.tcp_time.p50", 1.0, "ms"),
            ("connection.tls_time.p50", None, "ms"),
            ("message.first_chunk_time.p50", 8.0, "ms"),
            ("message.service_time.p50", 20.0, "ms"),
        )
    )
    assert figure is not None
    assert [row[0] for row in figure.table.rows] == ["connect: TCP", "reply: first chunk", "reply: whole"]
    assert {row[2] for row in figure.table.rows} == {"–"}


def test_the_generator_is_held_against_the_limits_past_which_it_is_not_trusted():
    figure = generator(
        with_metrics(
            RUN,
            ("message.send_lag.p99", 60.0, "ms"),
            ("generator.cpu_share", 45.0, "%"),
            ("generator.gc_pause.max", 25.0, "ms"),
            ("generator.memory", 68.25, "MiB"),
        )
    )
    assert figure is not None
    assert figure.table.rows == (
        ("lateness of sends, P99", "60.00 ms", "50.00 ms", "120 %"),
        ("CPU, share of a core", "45.00 %", "90.00 %", "50.0 %"),
        ("longest pause of the collector", "25.00 ms", "100.0 ms", "25.0 %"),
        ("memory", "68.25 MiB", "–", "–"),
    )
    assert "past its limit: lateness of sends, P99" in figure.alt
    assert [row["over"] for row in figure.spec["datasets"]["health"]] == [True, False, False]


@pytest.mark.parametrize(
    ("p99", "p95", "shown"),
    [(3.0, 2.0, "lateness of sends, P99"), (None, 2.0, "lateness of sends, P95"), (None, None, None)],
)
def test_of_few_sends_the_generator_is_judged_by_p95_as_it_judges_itself(p99, p95, shown):
    figure = generator(
        with_metrics(DATABASE, ("query.send_lag.p99", p99, "ms"), ("query.send_lag.p95", p95, "ms"))
    )
    assert (None if figure is None else figure.table.rows[0][0]) == shown
