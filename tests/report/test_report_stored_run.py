"""A run that is shown again reads as it did on its night."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from builders import database_measurement, invalidated, verdict_of, websocket_measurement, with_metric
from judging import QUIET, WORSE
from rich.console import Console

from nightbench.history.store import HistoryStore
from nightbench.report.layout import Page
from nightbench.report.stored_run import print_stored_run, stored_targets
from nightbench.report.summary import print_measured, print_suite
from nightbench.verdict.judgement import Verdict
from nightbench.verdict.targets import TargetResult

RANGES = (
    "45 <= message.throughput <= 55",
    "45 < message.throughput < 55",
    "45 <= message.throughput < 49.75",
    "message.response_time.p50 between 1.5 and 2000",
    "message.response_time.p95 == 3",
    "connection.time.p99 > 0",
)
PROMISES = websocket_measurement().plan.model_validate(
    {**websocket_measurement().plan.model_dump(), "targets": RANGES}
)
SLOW = with_metric(websocket_measurement(plan=PROMISES), "message.response_time.p95", None)


def console() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=80, force_terminal=False), text


@pytest.mark.parametrize(
    "verdict",
    [
        verdict_of(SLOW, Verdict(lines=WORSE.lines)),
        verdict_of(database_measurement(), Verdict(lines=QUIET.lines)),
        verdict_of(with_metric(database_measurement(), "query.leaked_rows", 2.0), Verdict(lines=QUIET.lines)),
        verdict_of(invalidated(database_measurement(), "the generator was late")),
        verdict_of(invalidated(websocket_measurement(), "interrupted", complete=False)),
    ],
    ids=["worse", "quiet", "leaked", "invalid", "incomplete"],
)
def test_it_reads_as_on_its_night(verdict, tmp_path):
    store = HistoryStore(tmp_path)
    measurement = verdict.measurement
    store.save(measurement, verdict.targets)
    if verdict.judged is not None:
        store.save_lines(verdict.judged.to_frame(), environment="local", night_id=measurement.night_id)
    then, said = console()
    print_suite(then, verdict)
    whole, same = console()
    print_measured(Page(whole), verdict)
    now, shown = console()
    print_stored_run(now, store.run(measurement.run_id), store.lines("local"), ())

    assert same.getvalue() in said.getvalue()
    assert len(same.getvalue().splitlines()) > 20
    assert same.getvalue() in shown.getvalue()
    assert shown.getvalue().splitlines()[0] == said.getvalue().splitlines()[0]


@pytest.mark.parametrize(
    ("stored", "limits"),
    [
        ({"op": "<", "limit": 5.0}, (("<", 5.0),)),  # as the first version wrote them
        ({"op": "between", "limit": 1.0, "upper": 5.0}, ((">=", 1.0), ("<=", 5.0))),
        ({"op": "between", "limit": 1.0, "upper": 5.0, "inclusive": "left"}, ((">=", 1.0), ("<", 5.0))),
    ],
)
def test_targets_keep_their_limits(stored, limits):
    (target,) = stored_targets([{"metric": "a.b", "value": 2.0, "met": True, **stored}])
    assert target.limits() == limits


def test_a_target_is_stored_whole(tmp_path):
    store = HistoryStore(tmp_path)
    target = TargetResult("a.b", "between", 1.0, None, met=False, upper=2.0, inclusive="right")
    measurement = replace(websocket_measurement(), windows=())
    store.save(measurement, (target,))
    assert tuple(stored_targets(store.run(measurement.run_id).row["targets"])) == (target,)
