"""One suite of one night as the JSON document has it: the run that is shown, its blocks and the verdict."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from nightbench.history.record import clean, record
from nightbench.verdict.judgement import Change
from nightbench.verdict.verdict import SuiteVerdict


def suite_document(verdict: SuiteVerdict) -> dict[str, Any]:
    """The whole of a suite as JSON-like data, scrubbed; a missing value is null, never NaN.

    Beside what `nightbench.history.record.record` gives of the run that is shown:

    - ``blocks``, ``reruns``: the ids of all runs of the night, and of the repetitions of its suspects;
    - ``night_metrics``: the metrics of the night, medians over the blocks that count, on which the targets and
      the comparison rest; of a single block they are its own;
    - ``verdict``: ``state``, ``lines``, ``left_out``, ``changes``, ``notes``; see `verdict_document`.
    """
    content: dict[str, Any] = clean(
        {
            "blocks": [run.run_id for run in verdict.runs],
            "reruns": [run.run_id for run in verdict.reruns],
            "night_metrics": [asdict(metric) for metric in verdict.values],
            "verdict": verdict_document(verdict),
        }
    )
    return {**record(verdict.measurement, verdict.targets), **content}


def verdict_document(verdict: SuiteVerdict) -> dict[str, Any]:
    """The suite against earlier nights: the attributes of `nightbench.verdict.Line` and its like, by name.

    ``compared`` tells a suite without anything to compare with (true, and a note says so) from one whose
    comparison failed.
    """
    judged = verdict.judged
    return {
        "state": verdict.state,
        "compared": judged is not None,
        "lines": [] if judged is None else [asdict(line) for line in judged.lines],
        "left_out": [] if judged is None else [asdict(each) for each in judged.left_out],
        "changes": [] if judged is None else [_change(each) for each in judged.changes],
        "notes": [*verdict.block_notes, *(() if judged is None else judged.notes)],
    }


def _change(change: Change) -> dict[str, Any]:
    point = change.point
    return {
        "suite": change.suite,
        "tier": change.tier,
        "metric": change.metric,
        "night": change.night,
        "age": change.age,
        "group": change.group,
        "effect": point.effect,
        "p": point.p,
        "worse": point.worse,
    }
