"""The example automations: Prefect takes them, and they fire on the events that nights emit."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from builders import database_measurement, invalidated, verdict_of, websocket_measurement, with_metric

from nightbench.night_events import events_of
from nightbench.outcome import NightOutcome

FILE = Path(__file__).parents[2] / "deployments" / "verdict_notifications.yaml"

MISSED = verdict_of(with_metric(websocket_measurement(), "message.response_time.p95", 2345.6))
INVALID = verdict_of(invalidated(database_measurement(), "the generator was saturated"))


@pytest.fixture(scope="module")
def automations():
    from prefect.events.schemas.automations import AutomationCore

    given = yaml.safe_load(FILE.read_text())["automations"]
    known = [AutomationCore.model_validate(each) for each in given]
    for each, automation in zip(given, known, strict=True):  # Prefect passes over keys that it does not know
        assert set(each) <= set(automation.model_fields_set)
        assert set(each["trigger"]) <= set(automation.trigger.model_fields_set)
    return known


@pytest.fixture(scope="module")
def events():
    """The events of a night in production, as a server has them."""
    from prefect.server.events.schemas.events import ReceivedEvent

    outcome = NightOutcome("night", (MISSED, INVALID))
    return [
        ReceivedEvent(
            occurred=datetime.now(UTC),
            event=event.name,
            resource=dict(event.resource),
            payload=dict(event.payload),
            id=event.id,
        )
        for event in events_of(outcome, environment="production", flow="nightly", links={"run": "http://h/1"})
    ]


def test_each_fires_on_what_it_says_and_on_nothing_else(automations, events):
    from prefect.server.events.schemas.automations import EventTrigger

    fires = []
    for automation in automations:
        trigger = EventTrigger.model_validate(automation.trigger.model_dump(mode="json"))
        fires.append(
            [event.resource.id for event in events if trigger.covers(event) and trigger.expects(event.event)]
        )
    assert fires == [
        ["nightbench.suite.production.full.websocket"],
        ["nightbench.night.production.nightly"],
        ["nightbench.suite.production.full.database"],
    ]


def test_their_texts_are_made_of_fields_that_the_events_have(automations, events):
    for automation in automations:
        (action,) = automation.actions
        for text in (action.subject, action.body):
            for event in events:
                filled = text.replace("{{ ", "{").replace(" }}", "}")
                filled = filled.replace("event.payload.links.run", "links[run]").replace("event.payload.", "")
                assert filled.format(**event.payload)
