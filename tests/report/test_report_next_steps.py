"""What next: commands that can be pasted as they are, and that find the same history."""

from __future__ import annotations

import io
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from builders import verdict_of, websocket_measurement, windows
from judging import line
from rich.console import Console

from nightbench.report.layout import Page
from nightbench.report.next_steps import Origin, print_next_steps
from nightbench.verdict.judgement import Verdict
from nightbench.verdict.targets import TargetResult

P95 = "message.response_time.p95"
MISSED = TargetResult(P95, "<", 2000.0, 2345.6, met=False)
NIGHT = websocket_measurement().night_id
PART = ["--suite", "websocket", "--tier", "full"]


def printed(*metrics, state="regression", origin=None, blocks=1, **changes):
    measured = websocket_measurement(**changes)
    verdict = verdict_of(measured, Verdict(lines=tuple(line(metric, state) for metric in metrics)))
    if blocks > 1:
        verdict = type(verdict)(measured, verdict.targets, blocks=(measured,) * blocks, judged=verdict.judged)
    text = io.StringIO()
    print_next_steps(Page(Console(file=text, width=80)), verdict, origin or Origin())
    return text.getvalue()


def commands(text):
    pasted = text.replace("\\\n", "")
    return [shlex.split(each)[1:] for each in pasted.splitlines() if each.startswith("    nightbench")]


def test_a_regression_has_four_ways_on_about_its_suite_and_tier_of_the_night():
    metrics = [f"query[{name}].execute_time.p95" for name in "abc"]
    text = printed(*metrics)
    assert "'query[a].execute_time.p95'" in text  # which a shell would take for a pattern
    assert commands(text) == [
        ["compare", "baseline", NIGHT, *PART],
        ["ack", "accept", NIGHT, *metrics, *PART, "--why", "WHY"],
        ["ack", "mute", NIGHT, *metrics, "--until", "2026-12-08", *PART, "--why", "WHY"],
        ["ack", "invalid", NIGHT, *PART, "--why", "WHY"],
    ]


def test_a_suspect_is_to_be_measured_again_as_carefully_as_it_was():
    assert commands(printed("a.b", state="suspect")) == [
        ["compare", "baseline", NIGHT, *PART],
        ["run", "full", "--reruns", "3"],
    ]
    again = commands(printed("a.b", state="suspect", blocks=3))[1]
    assert again == ["run", "full", "--blocks", "3", "--reruns", "3"]


def test_a_suite_by_itself_repeats_nothing_and_no_other_command_is_proposed():
    text = printed("a.b", state="suspect", origin=Origin(repeats=False))
    assert [words[0] for words in commands(text)] == ["compare"]
    assert "measure again with the same command" in text
    assert "mostly a regression by the third time, and often by the second" in " ".join(text.split())


def test_that_accepting_without_names_is_wider_is_said():
    assert "without the names it accepts what changed in the whole suite" in printed("a.b")


def test_a_missed_target_has_its_ways_on_wherever_the_history_is():
    missed = replace(verdict_of(websocket_measurement(environment="staging")), targets=(MISSED,))
    text = io.StringIO()
    print_next_steps(Page(Console(file=text, width=80)), missed, Origin("s3://bucket"))
    where = ["--environment", "staging", "--results", "s3://bucket"]
    assert commands(text.getvalue()) == [
        ["history", "show", missed.measurement.run_id, *where],
        ["report", *PART, *where],
    ]


@pytest.mark.parametrize("state", ["steady", "noisy", "improved"])
def test_a_quiet_night_needs_nothing(state):
    assert printed("a.b", state=state) == ""


@pytest.mark.parametrize("state", ["regression", "suspect"])
@pytest.mark.parametrize(
    ("origin", "changes", "flags"),
    [
        (Origin(), {"environment": "staging"}, ["--environment", "staging"]),
        (Origin("s3://bucket/a b"), {}, ["--results", "s3://bucket/a b"]),
        (Origin(Path("out")), {"environment": "prod"}, ["--environment", "prod", "--results", "out"]),
    ],
)
def test_every_command_says_where_the_history_is(state, origin, changes, flags):
    found = commands(printed("a.b", state=state, origin=origin, **changes))
    assert len(found) == (4 if state == "regression" else 2)
    assert all(words[-len(flags) :] == flags for words in found)


@pytest.mark.parametrize(
    ("metrics", "asked"),
    [
        ([P95], []),  # shown without being asked for
        (["connection.success_rate"], []),  # has no quantiles
        (["connection.time.p95", "connection.time.p50"], ["connection.time.*"]),
        (
            ["connection.time.p95", P95, "message.success_rate"],
            ["connection.time.*", "message.response_time.*", "message.success_rate"],
        ),
    ],
)
def test_the_comparison_shows_the_quantiles_of_what_got_worse(metrics, asked):
    stored = [
        each
        for operation, quantity in (("message", "response_time"), ("connection", "time"))
        for each in windows(operation, quantity, seconds=1, rate=9, median_ms=9.0)
    ]
    compared = commands(printed(*metrics, windows=tuple(stored)))[0]
    flags = [word for pattern in asked for word in ("--metric", pattern)]
    assert compared == ["compare", "baseline", NIGHT, *PART, *flags]
