"""A night as a page, as tables and as events: what a reader of the Prefect UI sees, and what automations hang on."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from builders import database_measurement, invalidated, verdict_of, websocket_measurement, with_metric
from judging import NOTHING_EARLIER, WORSE
from test_report_charts import WHOLE

from nightbench.alerts.delivery import DeliveryReport
from nightbench.alerts.failure import Failure
from nightbench.blocks import Skipped
from nightbench.measurement import Metric
from nightbench.night_events import NAMES, events_of
from nightbench.night_page import night_page
from nightbench.night_table import metric_rows, tiers_measured
from nightbench.outcome import NightOutcome, headline
from nightbench.report.charts.drawing import UndrawnError
from nightbench.settings import Settings

MISSED = verdict_of(with_metric(websocket_measurement(), "message.response_time.p95", 2345.6), WORSE)
MET = verdict_of(database_measurement(), NOTHING_EARLIER)
INVALID = verdict_of(invalidated(database_measurement(tier="stress"), "the generator was saturated"))
NIGHT = "20261124T031500Z-nightly-000000"
SECRET = "postgresql://owner:hunter2secret@db/app"
HOSTILE = f"x</details><script>|\n# ](http://evil.example) `{SECRET}`"


def outcome(*verdicts, **changes) -> NightOutcome:
    return replace(NightOutcome(NIGHT, verdicts, delivery=DeliveryReport(delivered=2)), **changes)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(results=tmp_path, alerts={"report_url": "https://reports.example/night"})


@pytest.fixture
def page(settings, monkeypatch) -> str:
    monkeypatch.setattr(
        "nightbench.report.charts.pictures.svgs", lambda specs, patience: ["<svg/>" for _ in specs]
    )
    links = {
        "run": "http://127.0.0.1:4200/runs/flow-run/1",
        "summary": "http://127.0.0.1:4200/artifacts/key/x",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "nightbench.report.charts.pictures.svgs", lambda specs, patience: ["<svg/>" for _ in specs]
        )
        return night_page(outcome(MISSED, MET), settings, histories=[WHOLE], links=links)


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ((MET,), "✓ Targets met in 1 suite"),
        ((MISSED, MET), "✗ Target missed: 1 of 2 suites"),
        ((MET, INVALID), "? Invalid or incomplete: 1 of 2 suites"),
        ((), "? Invalid or incomplete"),
    ],
)
def test_the_headline_says_what_came_of_the_night(verdicts, said):
    assert headline(outcome(*verdicts)) == said


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ((INVALID,), "? Cancelled: 2 of 2 suites invalid or incomplete"),
        ((MISSED,), "✗ Target missed: 1 of 2 suites, then cancelled"),
    ],
)
def test_the_headline_counts_what_was_not_run_and_says_who_ended_it(verdicts, said):
    assert headline(outcome(*verdicts, skipped=(Skipped("full", "database"),), cancelled=True)) == said


def test_the_headline_of_a_night_that_was_interrupted_before_it_began_counts_no_suites():
    skipped = (Skipped("full", "websocket"), Skipped("full", "database"))
    assert headline(outcome(skipped=skipped)) == "? Interrupted: nothing was measured"


@pytest.mark.parametrize(
    "piece",
    [
        "# ✗ Target missed: 1 of 2 suites",
        r"- full websocket: message.response\_time.p95 \< 2,000 ms missed: 2,346 ms",
        "| `message.response_time.p95` | **✗ missed** | 2,346 ms | \\< 2,000 ms |",
        "| `message.response_time.p95` | **regression** | 41.20 ms | 35.10 ms | +17.4 % (+12.1 to +23.0) |",
        "![message.response\\_time.p95 of the last 31 nights](data:image/svg+xml;base64,PHN2ZyAvPg==)",
        "- 2 delivered",
        "[report](https://reports.example/night)",
        "[run](http://127.0.0.1:4200/runs/flow-run/1)",
        "<summary>The whole summary</summary>",
    ],
)
def test_the_page_has(page, piece):
    assert piece in page


def test_what_is_wrong_comes_before_what_is_well(page):
    section = page[page.index("### full websocket") :]
    assert section.index("**✗ missed**") < section.index("| ✓ |")
    assert page.index("## Why") < page.index("## Suites") < page.index("## Alerts")


def test_an_invalid_suite_is_not_compared_and_says_why(settings):
    page = night_page(outcome(INVALID), settings)
    assert "the generator was saturated" in page
    assert "Target (not judged)" in page
    assert "Against earlier nights |" not in page


def test_charts_that_cannot_be_drawn_are_told_and_the_page_is_there(settings, monkeypatch):
    def undrawn(_specs, patience):
        raise UndrawnError(f"a chart was not drawn within {patience:g} s")

    monkeypatch.setattr("nightbench.report.charts.pictures.svgs", undrawn)
    page = night_page(outcome(MET), settings, histories=[WHOLE])
    assert "a chart was not drawn within 20 s" in page
    assert "## Alerts" in page


def hostile() -> NightOutcome:
    """A night in which whatever somebody else may name is named so that it would be markup, and has a secret."""
    measured = invalidated(websocket_measurement(), HOSTILE)
    measured = replace(measured, metrics=(*measured.metrics, Metric(HOSTILE, 1.0, "ms", 1)), night_id=HOSTILE)
    failure = Failure("full", "database", HOSTILE, NIGHT, HOSTILE)
    return outcome(verdict_of(measured), failures=(failure,), night_id=HOSTILE)


def test_what_others_name_is_no_markup_and_tells_no_secret(settings):
    page = night_page(hostile(), settings.model_copy(update={"environment": HOSTILE}))
    without_blocks = re.sub(r"```+text\n.*?\n```+", "", page, flags=re.DOTALL)
    shown = re.sub(r"`[^`\n]*`", "", re.sub(r"\\.", "", without_blocks))
    assert "hunter2secret" not in page
    assert "<script" not in shown
    assert "](http://evil" not in shown
    assert shown.count("</details>") == 1
    assert "\n# ](" not in shown


def test_a_table_of_the_metrics_has_targets_and_changes_and_no_secret():
    night = outcome(MISSED, MET)
    assert tiers_measured(night) == ("full",)
    rows = {row["metric"]: row for row in metric_rows(night, "full")}
    assert rows["message.response_time.p95"] == {
        "suite": "websocket",
        "metric": "message.response_time.p95",
        "tonight": "2,346 ms",
        "target": "< 2,000 ms ✗",
        "baseline": "35.10 ms",
        "change": "+17.4 %",
        "verdict": "regression",
    }
    assert list(rows["query.throughput"])[:5] == ["suite", "metric", "verdict", "tonight", "target"]
    assert "hunter2secret" not in json.dumps(metric_rows(hostile(), "full"))


def test_there_is_an_event_for_each_suite_and_one_for_the_night():
    events = events_of(outcome(MISSED, MET, INVALID), environment="production", flow="nightly")
    assert [(event.name, event.resource["prefect.resource.id"]) for event in events] == [
        (NAMES["missed"], "nightbench.suite.production.full.websocket"),
        (NAMES["met"], "nightbench.suite.production.full.database"),
        (NAMES["invalid"], "nightbench.suite.production.stress.database"),
        (NAMES["missed"], "nightbench.night.production.nightly"),
    ]


def test_an_event_carries_the_numbers_and_a_text_that_is_ready_to_be_sent():
    event, night = events_of(
        outcome(MISSED), environment="production", flow="full", links={"run": "http://h/1"}
    )
    (missed, *_) = event.payload["targets"]
    (worse, *_) = event.payload["regressions"]
    assert (missed["target"], missed["value"], missed["unit"], missed["met"]) == (
        "message.response_time.p95 < 2000",
        2345.6,
        "ms",
        False,
    )
    assert (worse["effect"], worse["low"], worse["high"], worse["nights"]) == (0.1738, 0.121, 0.2301, 20)
    assert event.payload["title"] == "full websocket: ✗ Target missed: 1 of 1 suite"
    assert "message.response_time.p95 < 2,000 ms missed: 2,346 ms" in event.payload["text"]
    assert night.payload["suites"] == {"full websocket": "missed"}
    assert night.payload["alerts"] == {"delivered": 2, "undelivered": 0, "rejected": 0, "dropped": 0}


def test_the_same_night_tells_the_same_events_and_another_night_others():
    def ids(night: str) -> list:
        return [
            event.id
            for event in events_of(outcome(MISSED, MET, night_id=night), environment="e", flow="full")
        ]

    assert ids(NIGHT) == ids(NIGHT)
    assert len({*ids(NIGHT), *ids("another")}) == 6


def test_no_event_tells_a_secret_and_each_is_json():
    events = events_of(hostile(), environment=HOSTILE, flow="full", links={"run": SECRET})
    for event in events:
        told = json.dumps([dict(event.resource), dict(event.payload)], allow_nan=False)
        assert "hunter2secret" not in told
