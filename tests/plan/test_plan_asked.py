from __future__ import annotations

import pytest
from pydantic import SecretStr

from nightbench.errors import ConfigurationError
from nightbench.plan import DatabaseChanges, TierChanges, WebSocketChanges
from nightbench.plan.asked import Asked
from nightbench.planning import planned
from nightbench.settings import Settings
from nightbench.subject_asked import RegisteredSubject, with_subject, with_url

TOKEN = SecretStr("hunter2")


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(
        results=tmp_path,
        websocket_url="wss://pam.example/chat",
        token=TOKEN,
        database_dsn="postgresql://app@db.example/pam",
        environment="production",
    )


def test_no_answer_changes_nothing():
    assert Asked().changes() == TierChanges()


def test_each_answer_changes_its_field():
    changes = Asked(
        users=5,
        duration=3,
        queries=90,
        targets=("message.response_time.p95 < 500", "query.success_rate >= 99"),
        blocks=2,
    ).changes()
    assert (changes.websocket.users, changes.websocket.duration, changes.database.queries) == (5, 3, 90)
    assert [str(each) for each in changes.websocket.targets] == ["message.response_time.p95 < 500"]
    assert [str(each) for each in changes.database.targets] == ["query.success_rate >= 99"]
    assert (changes.blocks, changes.reruns) == (2, None)


def test_the_rest_of_a_suite_is_kept():
    changes = Asked(users=5, websocket=WebSocketChanges(timeout=3)).changes()
    assert (changes.websocket.users, changes.websocket.timeout) == (5, 3)


@pytest.mark.parametrize(
    ("twice", "name"),
    [
        (Asked(users=5, websocket=WebSocketChanges(users=5)), "users"),
        (Asked(queries=5, database=DatabaseChanges(queries=6)), "queries"),
        (
            Asked(
                targets=("message.throughput > 1",),
                websocket=WebSocketChanges(targets=("message.throughput > 2",)),
            ),
            "targets",
        ),
    ],
)
def test_what_is_given_twice_is_refused(twice, name):
    with pytest.raises(ConfigurationError, match=rf"parameter {name}: \w+\.{name} is given too"):
        twice.changes()


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (
            "generator.cpu_share.max < 50",
            "every suite has a generator; give it as one of websocket.targets or",
        ),
        ("mesage.throughput > 5", "no suite measures 'mesage'; metrics begin with connection, "),
        ("55 <= message.throughput <= 45", "the lower bound, 55, is not below the upper one, 45"),
        ("message.throughput > .", "not METRIC OP LIMIT"),
        ("query[].execute_time.p95 < 5", "no suite|measures no"),
    ],
)
def test_a_target_of_no_suite_is_refused(target, why):
    with pytest.raises(ConfigurationError, match=f"parameter targets = .*{why}"):
        Asked(targets=(target,)).changes()


def test_an_answer_is_named_as_it_was_asked(settings):
    asked = Asked(users=5, websocket=WebSocketChanges(shards=6))
    with pytest.raises(
        ConfigurationError, match=r"parameter websocket\.shards and parameter users: more shards"
    ):
        planned(settings.asked_by(asked.name_of), "quick", asked.changes())


def test_the_token_goes_to_the_host_that_it_belongs_to(settings):
    for url in ("wss://pam.example/v2", "wss://pam.example:443/chat"):
        assert with_url(settings, url).token == TOKEN


@pytest.mark.parametrize(
    "url",
    [
        "wss://pam.example.org/chat",
        "wss://pam.example:444/chat",
        "ws://pam.example/chat",
        "ws://127.0.0.1:8000",
    ],
)
def test_the_token_goes_nowhere_else(settings, url):
    asked = with_url(settings, url)
    assert (asked.websocket_url, asked.token) == (url, None)
    assert asked.database_dsn == settings.database_dsn


def test_a_registered_subject_is_mixed_with_nothing(settings):
    asked = with_subject(settings, RegisteredSubject("staging", "ws://staging.example/chat"))
    assert (asked.environment, asked.websocket_url) == ("staging", "ws://staging.example/chat")
    assert (asked.token, asked.database_dsn) == (None, None)


def test_a_subject_that_is_registered_does_not_widen_what_may_be_written_to(settings):
    settings = settings.model_copy(update={"database_allowed": ("db.example/pam",)})
    dsn = SecretStr("postgresql://app@other.example/pam")
    asked = with_subject(settings, RegisteredSubject("staging", database_dsn=dsn))
    assert asked.database_allowed == ("db.example/pam",)


def test_the_monitor_is_told_of_the_nights_of_the_machines_own_subject_alone(settings):
    assert settings.alerts.monitor
    assert not with_url(settings, "ws://127.0.0.1:1").alerts.monitor
    assert not with_subject(settings, RegisteredSubject("staging")).alerts.monitor


@pytest.mark.parametrize(
    "url",
    [
        "http://a",
        "ws://",
        "ws://:hunter2@a:x",
        "ws://a:0",
        "ws://a/${x}",
        "wss://u:hunter2@a.example/chat",
        "wss://hunter2@a.example",
        "wss://a.example/chat?ticket=hunter2",
        "wss://a.example/chat#hunter2",
        "wss://a.example/" + 2048 * "a",
    ],
    ids=lambda url: url[:30],
)
def test_what_is_no_address_is_refused_without_its_secrets(settings, url):
    for refuse in (
        lambda: with_url(settings, url),
        lambda: with_subject(settings, RegisteredSubject("staging", websocket_url=url)),
    ):
        with pytest.raises(ConfigurationError) as refused:
            refuse()
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", ["", 65 * "a"])
def test_a_subject_without_a_name_for_its_results_is_refused(settings, name):
    with pytest.raises(ConfigurationError, match=r"environment of the subject = .*1 and 64 characters"):
        with_subject(settings, RegisteredSubject(name))


def test_a_dsn_is_never_shown(settings):
    dsn = SecretStr("mysql://app:hunter2@db/pam")
    with pytest.raises(
        ConfigurationError, match=r"database_dsn of the subject = .*not a PostgreSQL DSN"
    ) as refused:
        with_subject(settings, RegisteredSubject("staging", database_dsn=dsn))
    assert "hunter2" not in str(refused.value)
