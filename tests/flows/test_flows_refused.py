"""A run that cannot be what was asked for: it waits for nothing, and its state says which field and what to do."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest
from outboxes import titles

from nightbench import settings as settings_module
from nightbench.errors import ConfigurationError
from nightbench.night import Night
from nightbench.plan import TierChanges, WebSocketChanges

TYPO = "message.response_time.p96 < 5"

# Prefect is imported late in here: to import it takes seconds, and every worker collects these tests.


@pytest.fixture
def refused(api, prefect_server, settings, stages, monkeypatch):
    """Run flows with parameters, none of which may come as far as a night; their states."""
    from prefect.settings import temporary_settings

    def run(*flows_and_answers):
        async def all_of_them():
            return [await flow(**answers, return_state=True) for flow, answers in flows_and_answers]

        with temporary_settings(updates={"api.url": prefect_server.api_url}), settings_module.use(settings):
            return asyncio.run(all_of_them())

    monkeypatch.setattr(Night, "check", lambda _: pytest.fail("a night was begun"))
    return run


def test_a_person_is_told_by_the_state_alone(refused, settings):
    from flows.capacity import capacity
    from flows.full import full
    from flows.nightly import nightly
    from flows.subject import NightbenchSubject

    read = NightbenchSubject(environment="staging", websocket_url="wss://u:hunter2@x.example/chat")
    read._block_document_id, read._block_document_name = uuid4(), "staging"
    twice = {"users": 5, "websocket": WebSocketChanges(users=6)}
    in_a_tier = {"full": TierChanges(websocket=WebSocketChanges(targets=(TYPO,)))}
    states = refused(
        (full, twice),
        (full, {"targets": (TYPO,)}),
        (nightly, in_a_tier),
        (capacity, {"targets": (TYPO,)}),
        (capacity, {"start": 600, "highest": 500}),
        (full, {"subject": read}),
    )

    assert {(state.type.value, state.name) for state in states} == {("FAILED", "Refused")}
    told = [state.message for state in states]
    assert told[0] == "parameter users: websocket.users is given too; give one of them"
    assert told[1].startswith(f"parameter targets = '{TYPO}': ")
    assert told[2].startswith("parameter websocket.targets[0] = ")
    assert told[3].startswith("parameter targets = ")
    assert told[4].startswith("parameter start = 600: is above the highest load, 500")
    assert told[5].startswith("websocket_url of the block nightbench-subject/staging = 'wss://***@x.example")
    assert "hunter2" not in str(told)
    assert not settings.outbox_folder.exists()


def test_what_nobody_began_is_alerted(refused, settings, monkeypatch):
    from flows.full import full

    monkeypatch.setattr("tasks.refused.begun_by_itself", lambda _: True)
    (state,) = refused((full, {"targets": (TYPO,)}))

    assert state.name == "Refused"
    assert titles(settings.outbox_folder) == ["full: failed"]


@pytest.mark.parametrize(
    ("scheduled", "by", "itself"),
    [(True, None, True), (False, "AUTOMATION", True), (False, "DEPLOYMENT", False), (False, None, False)],
)
def test_a_schedule_and_an_automation_are_nobody(scheduled, by, itself):
    from tasks.refused import begun_by_itself

    created_by = None if by is None else SimpleNamespace(type=by)
    assert begun_by_itself(SimpleNamespace(auto_scheduled=scheduled, created_by=created_by)) is itself


def test_one_wrong_tier_costs_a_night_that_nobody_began_no_other(
    api, prefect_server, settings, stages, monkeypatch
):
    from prefect.settings import temporary_settings

    from flows.nightly import nightly

    monkeypatch.setattr("flows.nightly.begun_by_itself", lambda _: True)
    wrong = TierChanges(websocket=WebSocketChanges(targets=(TYPO,)))
    with temporary_settings(updates={"api.url": prefect_server.api_url}), settings_module.use(settings):
        state = asyncio.run(nightly(quick=True, full=wrong, return_state=True))

    assert (state.name, len(stages.steps)) == ("Invalid", 4)
    assert titles(settings.outbox_folder) == ["full: failed"]
    runs = api("flow_runs/filter", sort="START_TIME_DESC", limit=4)
    assert sorted(run["state_name"] for run in runs) == ["Completed", "Completed", "Invalid", "Refused"]


def test_an_address_that_does_not_answer_has_the_name_that_it_was_set_by(settings):
    from nightbench.reachable import check_reachable
    from nightbench.subject_asked import RegisteredSubject, with_subject, with_url

    subject = RegisteredSubject(
        "staging", "ws://127.0.0.1:9/chat", name="the block nightbench-subject/staging"
    )
    chosen = with_subject(settings, subject)
    for asked, name in (
        (chosen, "websocket_url of the block nightbench-subject/staging"),
        (with_url(chosen, "ws://127.0.0.1:9/other"), "parameter url"),
    ):
        with pytest.raises(ConfigurationError, match="nothing answers") as caught:
            asyncio.run(check_reachable(asked, {"websocket"}))
        assert caught.value.setting == name
