"""What a flow loads when its form says so."""

from __future__ import annotations

import asyncio
import json
import uuid

import pandas as pd
import pytest

from flows.in_process import environment
from nightbench import settings as settings_module
from nightbench.errors import ConfigurationError
from nightbench.plan.asked import Asked

TOKEN = "hunter2-token"
DSN = "postgresql://app:hunter2-password@127.0.0.1:9/app"

# Prefect is imported late in here: to import it takes seconds, and every worker collects these tests.


@pytest.fixture
def subject():
    """One that was read from its block."""
    from flows.subject import NightbenchSubject

    read = NightbenchSubject(
        environment="staging", websocket_url="ws://127.0.0.1:9/chat", token=TOKEN, database_dsn=DSN
    )
    read._block_document_id = uuid.uuid4()
    return read


@pytest.fixture
def current(settings):
    with settings_module.use(settings) as current:
        yield current


def test_without_an_answer_the_settings_are_those_of_the_worker(current):
    from flows.subject import subject_of

    with subject_of(None, None):
        assert settings_module.current() is current


def test_the_settings_are_the_subjects_inside_and_the_workers_after(current, subject):
    from flows.subject import subject_of

    with subject_of("ws://127.0.0.1:9/other", subject):
        inside = settings_module.current()
        assert (inside.environment, inside.websocket_url) == ("staging", "ws://127.0.0.1:9/other")
        assert inside.token.get_secret_value() == TOKEN
        assert inside.database_dsn.get_secret_value() == DSN
        assert inside.results == current.results
    assert settings_module.current() is current


def test_a_release_is_that_of_what_the_form_says_and_none_of_the_workers_goes_along(settings, subject):
    from flows.subject import subject_of

    own = settings.model_copy(update={"release": "v1", "release_command": ("version",)})
    with settings_module.use(own):
        with subject_of(None, None, release="v2"):
            assert settings_module.current().release == "v2"
        with subject_of(None, subject):
            assert (settings_module.current().release, settings_module.current().release_command) == (
                None,
                (),
            )
        with subject_of(None, subject, release="v3"):
            assert settings_module.current().release == "v3"


def test_a_subject_whose_secrets_prefect_has_stored_is_refused(current):
    from flows.subject import NightbenchSubject, subject_of

    given = NightbenchSubject(environment="staging", token=TOKEN)
    with (
        pytest.raises(ConfigurationError, match=r"parameter subject: .*register it as a block") as caught,
        subject_of(None, given),
    ):
        pass
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "environment"),
        ({"environment": None}, "environment"),
        ({"environment": 65 * "a"}, "environment"),
        ({"environment": "a", "websocket_url": "http://a.example"}, "websocket_url"),
        ({"environment": "a", "database_dsn": "mysql://a"}, "database_dsn"),
    ],
    ids=str,
)
def test_what_the_form_of_a_block_lets_through_is_named_by_the_run(current, data, field):
    from flows.subject import NightbenchSubject, subject_of

    made = NightbenchSubject.model_validate(data)  # or else Prefect says no more than that it cannot be read
    made._block_document_id, made._block_document_name = uuid.uuid4(), "staging"
    with (
        pytest.raises(ConfigurationError, match=f"^{field} of the block nightbench-subject/staging = "),
        subject_of(None, made),
    ):
        pass


def test_what_was_asked_first_has_the_name_that_it_was_asked_by(current):
    from flows.subject import subject_of

    asked = Asked(users=5)
    with subject_of(None, None, asked):
        asked_for = settings_module.current().layers("quick", asked.changes())[-1]
    assert asked_for.name_of(("websocket", "users")) == "parameter users"


def test_a_subject_shows_no_secret(subject):
    shown = repr(subject) + str(subject) + json.dumps(subject.model_dump(mode="json"))
    assert "hunter2" not in shown


def test_every_tier_of_a_night_loads_the_subject_that_was_chosen_for_it(api, current, stages):
    from flows.nightly import nightly
    from flows.subject import NightbenchSubject

    chosen = NightbenchSubject(environment="staging", token=TOKEN)
    with environment.prefect_environment(environment.external()):
        chosen.save("staging", overwrite=True)
        asyncio.run(nightly(quick=True, subject=chosen, release="v2.4.1", return_state=True))

    runs = pd.read_parquet(current.results / "runs")
    assert set(runs["tier"]) == {"baseline", "full", "stress"}
    assert set(runs["environment"]) == {"staging"}
    assert set(runs["release"]) == {"v2.4.1"}
    stored = json.dumps(api("flow_runs/filter", sort="START_TIME_DESC", limit=4))
    assert "staging" in stored
    assert "hunter2" not in stored
