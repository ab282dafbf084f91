"""What a server has of a night that a worker ran, and of the trend report: artifacts and events, as users find them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.served


@pytest.fixture(scope="module")
def seen(stack, side_by_side):
    """A quick night after ten others, and the trend of these."""
    night = side_by_side.second
    return SimpleNamespace(
        night=_artifacts(stack, night),
        trend=_artifacts(stack, side_by_side.trend),
        events=stack.until(lambda: _events(stack, night)),
        run=f"prefect.flow-run.{night}",
        report=side_by_side.results / "reports/environment=local/trend-quick.html",
    )


def _artifacts(stack, run_id):
    asked = {"flow_run_id": {"any_": [run_id]}}
    return stack.ask("/artifacts/filter", artifacts=asked, sort="CREATED_DESC")


def _events(stack, run_id):
    """The events of the verdicts of a run, once all are there: the server writes them in batches."""
    asked = {"event": {"prefix": ["nightbench.verdict."]}, "related": {"id": [f"prefect.flow-run.{run_id}"]}}
    found = stack.ask("/events/filter", filter=asked)["events"]
    return found if len(found) >= 3 else None


def test_the_page_the_table_and_the_progress_belong_to_the_run(seen):
    keys = sorted(artifact["key"] for artifact in seen.night)
    assert keys == [
        "nightbench-progress",
        "nightbench-progress",
        "nightbench-quick-metrics",
        "nightbench-summary",
    ]
    (page,) = (artifact["data"] for artifact in seen.night if artifact["key"] == "nightbench-summary")
    assert "`message.response_time.p95` | suspect" in page
    assert "data:image/svg+xml;base64," in page
    assert "/runs/flow-run/" in page
    told = {each["description"] for each in seen.night if each["type"] == "progress"}
    assert told == {"quick websocket: done", "quick database: done"}


def test_the_server_has_the_events_and_the_run_is_related_to_them(seen):
    told = {each["resource"]["prefect.resource.id"]: each for each in seen.events}
    assert sorted(told) == [
        "nightbench.night.local.quick",
        "nightbench.suite.local.quick.database",
        "nightbench.suite.local.quick.websocket",
    ]
    for event in told.values():
        assert event["event"] == "nightbench.verdict.met"
        assert event["payload"]["links"]["run"].endswith(seen.run.removeprefix("prefect.flow-run."))
    (suspect, *_) = told["nightbench.suite.local.quick.websocket"]["payload"]["suspects"]
    assert suspect["effect"] == pytest.approx(0.2, abs=0.05)


def test_the_trend_has_a_page_that_leads_and_one_a_suite_with_charts(seen):
    pages = {artifact["key"]: artifact["data"] for artifact in seen.trend}
    assert set(pages) >= {"nightbench-trend", "nightbench-trend-quick-websocket"}
    assert "data:image/svg+xml;base64," in pages["nightbench-trend-quick-websocket"]
    assert "nights" in json.dumps(pages["nightbench-trend"])


def test_the_whole_report_is_one_file_beside_the_results_and_the_page_says_where(seen):
    (leading,) = (each["data"] for each in seen.trend if each["key"] == "nightbench-trend")
    assert f"`{seen.report}`" in leading
    assert "quick websocket" in seen.report.read_text("utf-8")


def test_the_charts_that_explain_the_last_night_are_on_the_page_of_its_suite(seen):
    (page,) = (each["data"] for each in seen.trend if each["key"] == "nightbench-trend-quick-websocket")
    _, why = page.split("## Why: the last night")
    assert "data:image/svg+xml;base64," in why
