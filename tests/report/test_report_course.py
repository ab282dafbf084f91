"""How a run went: its first and its last tenth side by side, and nowhere else."""

from __future__ import annotations

import io

import pytest
from builders import database_measurement, verdict_of, websocket_measurement
from rich.console import Console

from nightbench.measurement import Metric
from nightbench.report.summary import print_suite

TENTHS = (
    Metric("query.first_tenth.p50", 1.5, "ms", 160),
    Metric("query.first_tenth.p95", 7.25, "ms", 160),
    Metric("query.first_tenth.throughput", 2097.6, "1/s", 168),
    Metric("query.last_tenth.p50", 2.5, "ms", 159),
    Metric("query.last_tenth.p95", None, "ms", 159),
    Metric("query.last_tenth.throughput", 1783.2, "1/s", 143),
)


def course(quantile=0.95, low=-39.5):
    trends = (
        {"estimate": 41.53, "low": low, "high": 108.62, "rise": 0.0, "fall": 0.0},
        {"estimate": -5.92, "low": -48.82, "high": 48.77, "rise": 0.0, "fall": 0.0},
    )
    return {
        "response_time": {"quantile": quantile, "ms": [], "trend": trends[0]},
        "throughput": {"per_second": [], "trend": trends[1]},
    }


def printed(measurement):
    text = io.StringIO()
    print_suite(Console(file=text, width=80, force_terminal=False), verdict_of(measurement))
    return text.getvalue().splitlines()


def block(**details):
    whole = database_measurement()
    text = printed(database_measurement(metrics=(*whole.metrics, *TENTHS), details=details))
    start = next(number for number, line in enumerate(text) if line.startswith("Over the run"))
    return text, [line.rstrip() for line in text[start : start + 5]]


def test_the_tenths_stand_side_by_side_with_what_changed():
    text, lines = block(course=course())
    assert [" ".join(line.split()) for line in lines] == [
        "Over the run first tenth last tenth trend, in % of its level",
        "median response time 1.50 ms 2.50 ms",
        "P95 response time 7.25 ms – +41.5 (−39.5 to +108.6)",
        "throughput 2,098 1/s 1,783 1/s −5.9 (−48.8 to +48.8)",
        "operations 160 159",
    ]
    assert max(map(len, text)) <= 80
    assert sum("tenth" in line for line in text) == 1
    assert next(line for line in text if "Throughput" in line).split() == ["Throughput", "199.8", "queries/s"]


@pytest.mark.parametrize(
    ("details", "place", "told"),
    [
        ({"course": course(quantile=0.5)}, 1, "+41.5 (−39.5 to +108.6)"),
        ({"course": course(low=None)}, 2, "+41.5 (? to +108.6)"),
        ({"course": {**course(), "response_time": {"quantile": 0.95, "ms": [], "trend": None}}}, 2, "–"),
        ({}, 2, "–"),
    ],
)
def test_the_change_stands_by_what_is_judged(details, place, told):
    assert block(**details)[1][place].endswith(told)


def test_a_run_without_tenths_has_no_such_block():
    assert not any(line.startswith("Over the run") for line in printed(websocket_measurement()))
