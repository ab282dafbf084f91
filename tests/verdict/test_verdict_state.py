"""States and exit codes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import database_measurement, invalidated, verdict_of, websocket_measurement, with_metric

from nightbench.errors import ExitCode
from nightbench.measurement import Validity
from nightbench.target import Target
from nightbench.verdict.judgement import Line, Verdict
from nightbench.verdict.verdict import SuiteVerdict, exit_code, suite_verdict

MET = verdict_of(websocket_measurement())
MISSED = verdict_of(with_metric(websocket_measurement(), "message.response_time.p95", 5000))
INVALID = verdict_of(invalidated(websocket_measurement(), "the generator was busy"))
INVALID_MISSED = verdict_of(invalidated(MISSED.measurement, "the generator was busy"))
INCOMPLETE = verdict_of(websocket_measurement(validity=Validity(complete=False)))
LEAK = verdict_of(database_measurement(leaked_rows=1))
LINE = Line("websocket", "full", "x.p95", "regression", higher_is_worse=True, gates=True, floor=0.05)
WORSE = suite_verdict([MET.measurement], Verdict((LINE,)))
WORSE_MISSED = suite_verdict([MISSED.measurement], Verdict((LINE,)))
WORSE_INVALID = suite_verdict([INVALID.measurement], Verdict((LINE,)))
SUSPECT = suite_verdict([MET.measurement], Verdict((replace(LINE, state="suspect"),)))
INVALID_LEAK = verdict_of(invalidated(LEAK.measurement, "the generator was busy"))


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        (MET, "met"),
        (MISSED, "missed"),
        (INVALID, "invalid"),
        (INVALID_MISSED, "invalid"),
        (INCOMPLETE, "invalid"),
        (LEAK, "missed"),
        (INVALID_LEAK, "missed"),
        (WORSE, "regression"),
        (WORSE_MISSED, "missed"),
        (WORSE_INVALID, "invalid"),
        (SUSPECT, "met"),
    ],
)
def test_state(verdict: SuiteVerdict, state: str) -> None:
    assert verdict.state == state


def test_no_target_talks_a_leak_away() -> None:
    measurement = database_measurement(leaked_rows=1)
    lenient = measurement.plan.model_copy(
        update={"targets": (Target(metric="query.leaked_rows", op="<", limit=100),)}
    )
    assert verdict_of(database_measurement(leaked_rows=1, plan=lenient)).state == "missed"


@pytest.mark.parametrize(
    ("verdicts", "unreadable", "code"),
    [
        ([MET], 0, ExitCode.MET),
        ([MET, MISSED], 0, ExitCode.MISSED),
        ([MET, INVALID], 0, ExitCode.INVALID),
        ([INVALID, MISSED], 0, ExitCode.MISSED),
        ([INVALID_MISSED], 0, ExitCode.INVALID),
        ([INCOMPLETE], 0, ExitCode.INVALID),
        ([INVALID_LEAK], 0, ExitCode.MISSED),
        ([WORSE], 0, ExitCode.MISSED),
        ([WORSE, INVALID], 0, ExitCode.MISSED),
        ([WORSE_INVALID], 0, ExitCode.INVALID),
        ([SUSPECT], 0, ExitCode.MET),
        ([MET], 1, ExitCode.INVALID),
        ([MISSED], 1, ExitCode.MISSED),
        ([], 0, ExitCode.INVALID),
    ],
)
def test_exit_code(verdicts: list[SuiteVerdict], unreadable: int, code: ExitCode) -> None:
    assert exit_code(verdicts, unreadable) is code
