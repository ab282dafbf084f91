"""What a Prefect server is told of a night: its progress, a page, its metrics, events, and no secret."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from dataclasses import replace
from types import SimpleNamespace

import pytest
from staged import PASSWORD, TOKEN, Stages, provide_staged_subject, raising, staged_host, with_earlier_nights

from flows.in_process import environment
from nightbench import settings as settings_module
from nightbench.errors import MeasurementError
from nightbench.measurement import Metric
from nightbench.settings import Settings

HOSTILE = "message.x | <img src=x> ](http://evil.example) `.p95"


def slower_and_hostile(measurement, _stop):
    """Half as slow again, with a metric that a server has named."""
    metrics = (
        replace(metric, value=metric.value * 1.5)
        if metric.value is not None and ".response_time." in metric.name
        else metric
        for metric in measurement.metrics
    )
    return replace(measurement, metrics=(*metrics, Metric(HOSTILE, 1.0, "ms", 9)))


@pytest.fixture(scope="module")
def published(prefect_server, tmp_path_factory):
    """One night as a worker runs it, on a real server, after ten others: a suite that got slower and one that broke."""
    folder = tmp_path_factory.mktemp("published")
    settings = Settings(results=folder / "results", cache=folder / "cache")
    with_earlier_nights(settings.results)
    stages = Stages(
        {
            "quick websocket": slower_and_hostile,
            "quick database": raising(MeasurementError(f"token={TOKEN} at ws://pam:{PASSWORD}@host")),
        }
    )
    with pytest.MonkeyPatch.context() as patch, settings_module.use(settings):
        patch.setattr("nightbench.websocket.load_test.run", stages.websocket)
        patch.setattr("nightbench.database.stress_test.run", stages.database)
        patch.setattr("nightbench.night.provide", provide_staged_subject)
        patch.setattr("nightbench.night.calibrate_host", staged_host)
        patch.setenv("PREFECT_API_URL", prefect_server.api_url)
        with environment.prefect_environment(environment.external()):
            state, events = _night()
        flow_run = str(state.state_details.flow_run_id)
        artifacts = _asked(prefect_server.api_url, "artifacts/filter", sort="CREATED_DESC")
        mine = [each for each in artifacts if each["flow_run_id"] == flow_run]
        yield SimpleNamespace(
            state=state,
            flow_run=flow_run,
            artifacts=mine,
            logs=_asked(prefect_server.api_url, "logs/filter", sort="TIMESTAMP_DESC", limit=100),
            events=events,
            pages={artifact["key"]: artifact for artifact in mine},
        )


def _asked(api_url, path, **body):
    request = urllib.request.Request(
        f"{api_url}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def _night():
    """Run the flow; return its final state and the events that it emitted."""
    from prefect.events.clients import AssertingEventsClient
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    from flows.quick import quick

    AssertingEventsClient.reset()
    EventsWorker.set_client_override(AssertingEventsClient)
    try:
        state = asyncio.run(quick(return_state=True))
        EventsWorker.drain_all()
    finally:
        EventsWorker.set_client_override(None)
    APILogWorker.drain_all()  # a handler that is flushed waits for 5 s at the most
    seen = [vars(client).get("events", []) for client in AssertingEventsClient.all]
    return state, [event.model_dump(mode="json") for events in seen for event in events]


def test_nothing_that_prefect_is_told_is_secret(published):
    told = {
        "the artifacts": published.artifacts,
        "the final state": published.state.model_dump(mode="json"),
        "the events": published.events,
        "the logs": published.logs,
    }
    for what, text in {what: json.dumps(each) for what, each in told.items()}.items():
        assert "token=*** at ws://pam:***@host" in text, what
        assert TOKEN not in text, what
        assert PASSWORD not in text, what


def test_the_page_has_the_verdict_the_reasons_a_chart_and_the_whole_summary(published):
    page = published.pages["nightbench-summary"]
    assert "Invalid or incomplete" in page["description"]
    for piece in (
        "## Why",
        "quick websocket: ✓ targets met",
        "`message.response_time.p95` | suspect",
        "](data:image/svg+xml;base64,",
        "<summary>The whole summary</summary>",
    ):
        assert piece in page["data"]


def test_the_metrics_of_a_tier_are_a_table_with_a_history_of_its_own(published):
    rows = {row["metric"]: row for row in json.loads(published.pages["nightbench-quick-metrics"]["data"])}
    assert rows["message.response_time.p95"]["verdict"] == "suspect"
    assert rows["message.response_time.p95"]["target"].startswith("< ")


def test_each_run_of_a_suite_has_an_artifact_of_its_progress_whose_last_word_is_its_end(published):
    told = sorted(
        (each["description"], each["data"]) for each in published.artifacts if each["type"] == "progress"
    )
    assert told == [("quick database: broke off", 100.0), ("quick websocket: done", 100.0)]


def test_there_is_one_event_a_suite_and_one_of_the_night_each_related_to_the_run(published):
    told = {
        event["resource"]["prefect.resource.id"]: event
        for event in published.events
        if event["event"].startswith("nightbench.")
    }
    assert {name: event["event"] for name, event in told.items()} == {
        "nightbench.suite.local.quick.websocket": "nightbench.verdict.met",
        "nightbench.night.local.quick": "nightbench.verdict.invalid",
    }
    run = f"prefect.flow-run.{published.flow_run}"
    for event in told.values():
        assert run in [related["prefect.resource.id"] for related in event["related"]]
