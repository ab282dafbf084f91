"""What a Prefect server is told of a night: the summary, and no secret."""

from __future__ import annotations

import json

import pytest
from staged import PASSWORD, TOKEN, raising

from flows.in_process.engine import run_flow
from nightbench.errors import MeasurementError


@pytest.fixture
def events():
    """What Prefect's client tells of the states of flows and tasks; the embedded server stores none of it."""
    from prefect.events.clients import AssertingEventsClient
    from prefect.events.worker import EventsWorker

    AssertingEventsClient.reset()
    EventsWorker.set_client_override(AssertingEventsClient)

    def told():
        EventsWorker.drain_all()
        seen = [
            vars(client).get("events", []) for client in AssertingEventsClient.all
        ]  # none before it is used
        return [event.model_dump(mode="json") for events in seen for event in events]

    yield told
    # not `instance()`: one that is made outside a flow has no server, and starts one of its own
    EventsWorker.drain_all()
    EventsWorker.set_client_override(None)


def test_the_summary_is_published_and_nothing_that_prefect_is_told_is_secret(api, events, settings, stages):
    stages.of["quick websocket"] = raising(MeasurementError(f"token={TOKEN} at ws://pam:{PASSWORD}@host"))

    outcome = run_flow("quick", settings)

    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all()  # a handler that is flushed waits for 5 s at the most
    artifacts = api("artifacts/filter", sort="CREATED_DESC")
    (mine,) = (each for each in artifacts if outcome.night_id in (each["description"] or ""))
    assert mine["key"] == "nightbench-summary"
    assert "quick database" in mine["data"]
    told = {
        "the artifact": mine,
        "the states of flows": api("flow_runs/filter", sort="START_TIME_DESC", limit=1),
        "the states of tasks": events(),
        "the logs": api("logs/filter", sort="TIMESTAMP_DESC", limit=100),
    }
    for what, text in {what: json.dumps(each) for what, each in told.items()}.items():
        assert "token=*** at ws://pam:***@host" in text, what
        assert TOKEN not in text, what
        assert PASSWORD not in text, what
