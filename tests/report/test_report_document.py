"""The JSON of a suite: its run, its blocks and its verdict; never a NaN, never a secret."""

from __future__ import annotations

import json
from dataclasses import fields, replace

from builders import invalidated, verdict_of, websocket_measurement, with_metric
from judging import QUIET, WORSE, line

from nightbench.history.record import record
from nightbench.outcome import NightOutcome, night_document
from nightbench.report.document import suite_document
from nightbench.verdict import Line, Verdict

P95 = "message.response_time.p95"
ONE = websocket_measurement()


def blocks(*values):
    return tuple(
        replace(with_metric(websocket_measurement(number=place), P95, value), block=place + 1)
        for place, value in enumerate(values)
    )


def of(measured, name):
    return next(metric["value"] for metric in measured if metric["name"] == name)


def test_it_is_the_document_of_its_run_with_more():
    document = suite_document(verdict_of(ONE, QUIET))
    assert {name: document[name] for name in record(ONE, ())} == {
        **record(ONE, ()),
        "targets": document["targets"],
    }
    assert set(document) - set(record(ONE, ())) == {"blocks", "reruns", "night_metrics", "verdict"}
    assert (document["role"], document["block"], document["blocks"]) == ("night", 1, [ONE.run_id])
    assert document["night_metrics"] == document["metrics"]


def test_of_several_blocks_it_has_the_nights_values():
    measured = blocks(30.0, 50.0, 40.0)
    verdict = replace(verdict_of(measured[2]), blocks=measured, reruns=(replace(ONE, role="rerun"),))
    document = suite_document(verdict)
    assert document["blocks"] == [block.run_id for block in measured]
    assert document["reruns"] == [ONE.run_id]
    assert of(document["night_metrics"], P95) == 40.0
    assert document["verdict"]["notes"] == ["median of 3 blocks"]


def test_a_line_has_every_attribute_by_name():
    document = suite_document(verdict_of(ONE, WORSE))["verdict"]
    assert document["state"] == "regression"
    assert document["compared"] is True
    assert [each["metric"] for each in document["lines"]] == [each.metric for each in WORSE.lines]
    assert set(document["lines"][0]) == {each.name for each in fields(Line)}
    assert document["changes"][0] == {
        "suite": "websocket",
        "tier": "full",
        "metric": P95,
        "night": "20261117T031500Z-nightly-000000",
        "age": 7,
        "group": 0,
        "effect": 0.12,
        "p": 3e-6,
        "worse": True,
    }
    assert suite_document(verdict_of(ONE, QUIET))["verdict"]["left_out"][0] == {
        "suite": "database",
        "tier": "full",
        "nights": 4,
        "reason": "another plan",
    }


def test_without_a_comparison_it_is_empty_and_says_so():
    verdict = suite_document(verdict_of(ONE))["verdict"]
    assert verdict == {
        "state": "met",
        "compared": False,
        "lines": [],
        "left_out": [],
        "changes": [],
        "notes": [],
    }


def test_nan_is_null_and_a_secret_is_scrubbed():
    odd = line("a.b", "noisy", value=float("nan"), p=float("inf"), why="postgresql://app:hunter2@host/db")
    text = json.dumps(suite_document(verdict_of(ONE, Verdict(lines=(odd,)))), allow_nan=False)
    assert "hunter2" not in text
    assert json.loads(text)["verdict"]["lines"][0]["value"] is None


def test_a_night_holds_its_suites_and_is_exit_code_1_for_a_regression():
    document = night_document(NightOutcome("night", verdicts=(verdict_of(ONE, WORSE),)))
    assert document["exit_code"] == 1
    assert document["suites"] == [suite_document(verdict_of(ONE, WORSE))]


def test_what_was_not_a_pass_is_told_in_a_sentence_each():
    measured = (ONE, invalidated(websocket_measurement(block=2), "cut off after 2 s", complete=False))
    verdict = replace(verdict_of(ONE, Verdict(lines=(line(P95, "regression"),))), blocks=measured)
    assert NightOutcome("night", verdicts=(verdict,)).shortcomings == (
        f"full websocket: {P95} got worse: 41.20 ms against 35.10 ms, +17.4 % (+12.1 to +23.0)",
        "full websocket: median of 1 of 2 blocks",
        "full websocket: block 2 left out: cut off after 2 s",
    )
