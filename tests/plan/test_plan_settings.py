"""Settings come from flags, then the environment, then the file, then the defaults."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nightbench import settings as settings_module
from nightbench.database.connection import connection_parameters
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabaseChanges, Layer, TierChanges, WebSocketChanges
from nightbench.plan.fields import dotted
from nightbench.settings import load


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("NIGHTBENCH_")]:
        monkeypatch.delenv(variable)


def test_flags_win_over_the_environment_over_the_file_over_the_default(monkeypatch):
    assert load().environment == "local"
    Path("nightbench.toml").write_text("environment = 'file'")
    assert load().environment == "file"
    monkeypatch.setenv("NIGHTBENCH_ENVIRONMENT", "variable")
    assert load().environment == "variable"
    assert load({"environment": "flag"}).environment == "flag"
    assert load({"environment": None}).environment == "variable"


def test_every_number_of_a_tier_can_be_set_in_each_place(monkeypatch):
    Path("nightbench.toml").write_text("[plan.full.websocket]\nusers = 150\nduration = 30\nthink = 2")
    monkeypatch.setenv("NIGHTBENCH_PLAN__FULL__WEBSOCKET__DURATION", "40")
    flags = TierChanges(websocket=WebSocketChanges(think=3))
    plan = load().tier("full", flags).websocket
    assert (plan.users, plan.duration, plan.think) == (150, 40, 3)
    assert load().tier("baseline").websocket.users == 50


def test_targets_may_stand_in_the_file():
    Path("nightbench.toml").write_text(
        "[plan.full.database]\ntargets = ['query.response_time.p95 < 50', 'query.throughput > 90']"
    )
    promises = [str(target) for target in load().tier("full").database.promises]
    assert "query.response_time.p95 < 50" in promises
    assert "query.response_time.p95 < 100" not in promises
    assert "query.throughput > 90" in promises
    assert "query.success_rate > 99" in promises


def test_what_users_bring_may_stand_in_the_settings_file():
    Path("nightbench.toml").write_text("""
[plan.full.websocket]
data = "prompts.csv"
headers = { X-Key = "${env:KEY}" }
reply = { match = "order", done = "none" }

[[plan.full.websocket.messages]]
name = "ask"
body = { id = "${id}", q = ["${prompt}"] }
""")
    plan = load().tier("full").websocket
    assert (plan.reply.match, plan.reply.done, plan.data) == ("order", None, "prompts.csv")
    assert plan.messages[0].body == {"id": "${id}", "q": ["${prompt}"]}
    assert plan.headers["X-Key"].get_secret_value() == "${env:KEY}"


def test_what_users_bring_may_stand_in_a_variable(monkeypatch):
    monkeypatch.setenv(
        "NIGHTBENCH_PLAN__FULL__WEBSOCKET__MESSAGES", '[{"name": "ask", "text": "x", "weight": 2}]'
    )
    monkeypatch.setenv("NIGHTBENCH_PLAN__FULL__WEBSOCKET__REPLY", '{"done": "type == end"}')
    plan = load().tier("full").websocket
    assert (plan.messages[0].name, str(plan.reply.done)) == ("ask", 'type == "end"')


def test_a_plan_file_wins_over_file_and_environment_and_quick_and_flags_over_it(monkeypatch):
    Path("nightbench.toml").write_text("[plan.full.websocket]\nusers = 150\nthink = 2\nreply.match = 'order'")
    monkeypatch.setenv("NIGHTBENCH_PLAN__FULL__WEBSOCKET__DURATION", "40")
    changes = {"users": 30, "duration": 50, "timeout": 3, "reply": {"done": "type == end"}}
    layer = Layer(TierChanges(websocket=WebSocketChanges(**changes)), dotted)
    settings = load().with_plan_file(layer)
    plan = settings.tier("full").websocket
    assert (plan.users, plan.duration, plan.think, plan.timeout) == (30, 50, 2, 3)
    assert (plan.reply.match, str(plan.reply.done)) == ("order", 'type == "end"')
    assert settings.tier("full", quick=True).websocket.duration == 8
    flags = TierChanges(websocket=WebSocketChanges(duration=60, users=4))
    quick = settings.tier("full", flags, quick=True).websocket
    assert (quick.duration, quick.users, quick.timeout) == (60, 4, 3)
    assert settings.tier("baseline").websocket.users == 30


def test_what_is_asked_for_explicitly_wins_over_quick(monkeypatch):
    monkeypatch.setenv("NIGHTBENCH_PLAN__FULL__WEBSOCKET__DURATION", "40")
    assert load().tier("full", quick=True).websocket.duration == 8
    flags = TierChanges(websocket=WebSocketChanges(duration=20))
    assert load().tier("full", flags, quick=True).websocket.duration == 20


def test_quick_is_seconds_whatever_rate_is_asked_for():
    slow = TierChanges(database=DatabaseChanges(workers=2), websocket=WebSocketChanges(users=3))
    plan = load().tier("stress", slow, quick=True)
    assert plan.database.queries / plan.database.queries_per_second == 8
    slowest = TierChanges(database=DatabaseChanges(rate=0.05))
    assert load().tier("stress", slowest, quick=True).database.queries == 1


def test_numbers_that_make_no_plan_together_are_told():
    Path("nightbench.toml").write_text("[plan.full.websocket]\nusers = 'many'")
    with pytest.raises(ConfigurationError, match=r"plan\.full\.websocket\.users = 'many'"):
        load()


def test_secrets_do_not_show(monkeypatch):
    monkeypatch.setenv("NIGHTBENCH_TOKEN", "hunter2")
    monkeypatch.setenv("NIGHTBENCH_DATABASE_DSN", "postgresql://u:hunter2@h/d")
    monkeypatch.setenv("NIGHTBENCH_SENTRY_DSN", "https://hunter2@sentry.example.org/1")
    settings = load()
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_a_dsn_may_hold_what_a_dsn_can_hold(monkeypatch):
    for dsn in (
        "postgresql://u:hun%2Fter2@h:5432/d",
        "postgresql://user@server:hunter2@h/d",
        "postgresql://u@[::1]:5432/d?application_name=a@b",
        "postgresql:///d?host=/tmp",
    ):
        monkeypatch.setenv("NIGHTBENCH_DATABASE_DSN", dsn)
        secret = load().database_dsn
        assert secret is not None
        assert secret.get_secret_value() == dsn


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), max_size=12))
def test_no_piece_of_a_password_is_in_the_error(password):
    for setting, address in (
        ("database_dsn", f"postgresql://u:{password}/hunter2@h:5432/d"),
        ("database_dsn", f"postgresql://u:hunter2{password}#x@h/d"),
        ("websocket_url", f"ws://u:hunter2{password}/x@h:80/chat"),
    ):
        try:
            load({setting: address})
        except ConfigurationError as error:
            assert "hunter2" not in str(error)  # noqa: PT017  # some passwords make a valid address
            assert "***@h" in str(error)  # noqa: PT017


def test_a_dsn_that_libpq_cannot_parse_shows_no_password():
    with pytest.raises(ConfigurationError) as caught:
        connection_parameters("postgresql://u:hunter2%zz@h/d", statement_timeout=1)
    assert "hunter2" not in str(caught.value)
    assert "percent-encoded" in str(caught.value)


def test_the_outbox_is_beside_the_results_unless_set(monkeypatch):
    assert load({"results": "here"}).outbox_folder == Path("here/outbox")
    monkeypatch.setenv("NIGHTBENCH_OUTBOX", "there")
    assert load({"results": "here"}).outbox_folder == Path("there")


def test_a_command_uses_its_own_settings_inside_its_block():
    mine = load({"environment": "mine"})
    with settings_module.use(mine):
        assert settings_module.current() is mine
    assert settings_module.current().environment == "local"


@pytest.mark.parametrize(
    "setting", ["websocket_url", "database_dsn", "token", "sentry_dsn", "reference_sentry_dsn"]
)
def test_what_may_hold_a_secret_does_not_show_in_the_repr(setting):
    values = {
        "websocket_url": "wss://h/chat?ticket=hunter2",
        "database_dsn": "postgresql://u:hunter2@h/d",
        "token": "hunter2",
        "sentry_dsn": "https://hunter2@h/1",
        "reference_sentry_dsn": "https://hunter2@h/1",
    }
    assert "hunter2" not in repr(load({setting: values[setting]}))
