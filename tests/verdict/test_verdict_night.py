"""The exit code of a night."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import database_measurement, invalidated, verdict_of, websocket_measurement, with_metric

from nightbench.alerts.failure import Failure
from nightbench.errors import ExitCode
from nightbench.history.reading import UnreadableFile
from nightbench.outcome import NightOutcome, places_of
from nightbench.settings import Settings
from nightbench.verdict.judgement import Line, Verdict
from nightbench.verdict.verdict import suite_verdict

P95 = "message.response_time.p95"
MET = verdict_of(database_measurement())
MISSED = verdict_of(with_metric(websocket_measurement(), "message.response_time.p95", 5000))
WRONG = Failure("full", "websocket", "local", "night", "nothing answers", ExitCode.WRONG_USE)
BROKEN = Failure("full", "websocket", "local", "night", "no result")


@pytest.mark.parametrize(
    ("verdicts", "failures", "code"),
    [
        ((MET,), (), ExitCode.MET),
        ((MET,), (BROKEN,), ExitCode.INVALID),
        ((MET,), (WRONG,), ExitCode.INVALID),
        ((), (WRONG,), ExitCode.WRONG_USE),
        ((), (WRONG, BROKEN), ExitCode.WRONG_USE),
        ((), (BROKEN,), ExitCode.INVALID),
        ((MET, MISSED), (WRONG, BROKEN), ExitCode.MISSED),
    ],
)
def test_a_wrong_setting_is_the_code_only_when_nothing_was_measured(verdicts, failures, code):
    assert NightOutcome("night", verdicts=verdicts, failures=failures).exit_code is code


@pytest.mark.parametrize(
    ("again", "code", "told"),
    [
        (websocket_measurement(role="rerun", block=1), ExitCode.MET, ()),
        # what is cut short is no pass; what is invalid leaves a suspect, which is none either
        (
            invalidated(websocket_measurement(role="rerun", block=1), "cut off", complete=False),
            ExitCode.INVALID,
            ("repetition 1 left out: cut off",),
        ),
        (
            invalidated(websocket_measurement(role="rerun", block=1), "the generator was late"),
            ExitCode.MET,
            ("repetition 1 left out: the generator was late",),
        ),
    ],
)
def test_a_repetition_that_does_not_count_is_told(again, code, told):
    verdict = suite_verdict([websocket_measurement(), again])
    assert verdict.state == "met"
    assert verdict.block_notes == told
    assert NightOutcome("night", verdicts=(verdict,)).exit_code is code


def test_of_a_regression_that_was_found_before_a_repetition_was_cut_short_both_are_told():
    short = invalidated(websocket_measurement(role="rerun", block=2), "cut off", complete=False)
    line = Line("websocket", "full", P95, "regression", True, True, 0.05, value=2.0, baseline=1.0, effect=1.0)
    verdict = suite_verdict(
        [websocket_measurement(), websocket_measurement(role="rerun", block=1), short], Verdict((line,))
    )
    outcome = NightOutcome("night", verdicts=(verdict,))
    assert outcome.exit_code is ExitCode.MISSED
    first, second = outcome.shortcomings
    assert first.startswith(f"full websocket: {P95} got worse")
    assert second == "full websocket: repetition 2 left out: cut off"


@pytest.mark.parametrize(
    ("complete", "told"),
    [
        (True, ("full database: invalid: cut off", "full database: invalid: busy")),
        (False, ("full database: cut off", "full database: busy")),
    ],
)
def test_what_is_incomplete_is_not_called_invalid(complete, told):
    doubtful = verdict_of(invalidated(database_measurement(), "cut off", "busy", complete=complete))
    assert NightOutcome("night", verdicts=(doubtful,)).shortcomings == told


def test_a_file_that_lies_outside_the_tiers_spoils_the_night_and_no_tier():
    stray = UnreadableFile(Path("results/metrics/stray.parquet"), "is no part of it")
    night = NightOutcome("night", verdicts=(MET,), unreadable=(stray,))
    assert night.exit_code is ExitCode.INVALID
    assert night.of_tier("full").exit_code is ExitCode.MET


def test_what_was_kept_aside_is_a_place_of_its_own(tmp_path):
    settings = Settings(results=tmp_path)
    assert places_of(NightOutcome("night"), settings) == {"results": tmp_path}
    aside = NightOutcome("night", kept_aside=tmp_path / "unsaved")
    assert places_of(aside, settings)["kept aside"] == tmp_path / "unsaved"
