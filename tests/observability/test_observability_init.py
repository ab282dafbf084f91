"""What `init` turns on, what it leaves out, and that a wrong address stops nobody."""

import logging
import subprocess
import sys

import pytest
import sentry_sdk
from sentry_sdk.integrations import DidNotEnable, Integration
from watched import Kept

from nightbench import observability
from nightbench.observability.integrations import _set_up

DSN = "http://secretkey@127.0.0.1:1/1"
LIBRARIES = {"fastapi", "starlette", "redis", "sqlalchemy"}
ALWAYS = {"asyncio", "atexit", "dedupe", "excepthook", "logging", "threading"}


@pytest.fixture(autouse=True)
def _off():
    yield
    observability.init()


def options():
    return sentry_sdk.get_client().options


def test_what_a_backend_imports():
    assert sorted(observability.__all__) == [
        "capture_exception",
        "capture_message",
        "init",
        "start_transaction",
        "trace_async",
        "trace_sync",
    ]
    assert all(callable(getattr(observability, name)) for name in observability.__all__)


def test_importing_it_loads_nothing_heavy():
    heavy = "{'sentry_sdk', 'pydantic', 'pandas', 'numpy', 'fastapi', 'sqlalchemy', 'prefect'}"
    script = f"import sys, nightbench.observability; print(sorted({heavy} & sys.modules.keys()))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_it_watches_with_every_library_that_is_there():
    assert observability.init(DSN, "pam-backend", "1.2.3", "production") is True
    assert set(sentry_sdk.get_client().integrations) == LIBRARIES | ALWAYS
    assert (options()["release"], options()["environment"]) == ("pam-backend@1.2.3", "production")


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_in_production_errors_are_whole_and_profiles_a_tenth(environment):
    observability.init(DSN, environment=environment)
    chosen = options()
    assert (chosen["sample_rate"], chosen["profile_session_sample_rate"]) == (1.0, 0.1)
    assert chosen["profile_lifecycle"] == "trace"
    assert not chosen["enable_backpressure_handling"]  # a server that limits anything would halve the rates
    assert chosen["traces_sampler"]({"asgi_scope": {"type": "http", "path": "/"}}) == 0.1


@pytest.mark.parametrize(
    ("given", "told"), [(None, "production"), ("replica-3", "replica-3"), (" ", "production")]
)
def test_the_host_has_the_name_that_it_was_given(given, told, monkeypatch):
    monkeypatch.delenv("SENTRY_SERVER_NAME", raising=False)
    if given is not None:
        monkeypatch.setenv("SENTRY_SERVER_NAME", given)
    observability.init(DSN, environment="production")
    assert options()["server_name"] == told


def test_at_a_desk_everything_is_whole_and_the_host_is_nameless():
    observability.init(DSN, environment="development")
    chosen = options()
    assert (chosen["sample_rate"], chosen["profile_session_sample_rate"]) == (1.0, 1.0)
    assert chosen["traces_sampler"]({"asgi_scope": {"type": "http", "path": "/"}}) == 1.0
    assert chosen["server_name"] == "development"


def test_nothing_personal_is_asked_for():
    observability.init(DSN)
    chosen = options()
    assert not chosen["send_default_pii"]
    assert (chosen["include_local_variables"], chosen["spotlight"]) == (False, False)
    assert chosen["data_collection"]["provided_by_user"] is False


@pytest.mark.parametrize("hidden", sorted(LIBRARIES))
def test_a_library_that_is_missing_is_left_out(hidden, monkeypatch):
    for library in (hidden, "fastapi"):
        monkeypatch.delitem(sys.modules, f"sentry_sdk.integrations.{library}", raising=False)
    monkeypatch.setitem(sys.modules, hidden, None)
    assert observability.init(DSN) is True
    missing = {hidden, "fastapi"} if hidden == "starlette" else {hidden}
    assert set(sentry_sdk.get_client().integrations) == (LIBRARIES | ALWAYS) - missing


class _Integration(Integration):
    identifier = "made up"
    problem: Exception | None = None

    @staticmethod
    def setup_once():
        raise RuntimeError("secret")


class _TooOld(_Integration):
    identifier = "too old"

    @staticmethod
    def setup_once():
        raise DidNotEnable("only 3.0 or newer")


def _broken():
    raise AttributeError("secret")


@pytest.mark.parametrize("make", [_Integration, _TooOld, _broken])
def test_a_library_that_is_old_or_broken_is_left_out(make, caplog):
    assert _set_up(make) is None
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("version", "variable", "release"),
    [
        ("1.2.3", None, "pam-backend@1.2.3"),
        ("1.2.3", "other@9", "pam-backend@1.2.3"),
        (None, "other@9", "other@9"),
        (None, None, "pam-backend@unknown"),
    ],
)
def test_the_release(version, variable, release, monkeypatch):
    if variable:
        monkeypatch.setenv("SENTRY_RELEASE", variable)
    observability.init(DSN, version=version)
    assert options()["release"] == release


@pytest.mark.parametrize(
    ("given", "variable", "environment"),
    [
        (None, None, "production"),
        (None, "staging", "staging"),
        ("dev", "staging", "dev"),
        ("", "", "production"),
    ],
)
def test_the_environment(given, variable, environment, monkeypatch):
    if variable is not None:
        monkeypatch.setenv("SENTRY_ENVIRONMENT", variable)
    observability.init(DSN, environment=given)
    assert options()["environment"] == environment


def test_the_address_of_the_environment_is_taken(monkeypatch):
    monkeypatch.setenv("SENTRY_DSN", DSN)
    assert observability.init() is True
    assert sentry_sdk.get_client().dsn == DSN


@pytest.mark.parametrize("dsn", [None, "", "   "])
def test_without_an_address_nobody_watches(dsn, caplog):
    with caplog.at_level(logging.INFO):
        assert observability.init(dsn) is False
    assert not sentry_sdk.get_client().is_active()
    assert "Sentry is off" in caplog.text


@pytest.mark.parametrize(
    "dsn",
    [
        "secretkey",
        "http://127.0.0.1/1",
        "ftp://secretkey@127.0.0.1/1",
        "http://secretkey@127.0.0.1/project",
        "http://secretkey@127.0.0.1:port/1",
        "http://secretkey@[/1",
        "http://secretkey@/1",
    ],
)
def test_a_wrong_address_is_told_without_its_key(dsn, caplog):
    assert observability.init(dsn) is False
    assert not sentry_sdk.get_client().is_active()
    assert "https://<key>@host/project" in caplog.text
    assert "secretkey" not in caplog.text


def test_what_cannot_be_set_up_stops_nobody(monkeypatch, caplog):
    def fail(**_):
        raise RuntimeError("secretkey")

    monkeypatch.setattr(sentry_sdk, "init", fail)
    assert observability.init(DSN) is False
    assert "RuntimeError" in caplog.text
    assert "secretkey" not in caplog.text


def test_a_client_of_the_backends_own_is_left_alone():
    everywhere = sentry_sdk.get_global_scope()
    before, own = (
        everywhere.client,
        sentry_sdk.Client(dsn=DSN, default_integrations=False, transport=Kept),
    )
    everywhere.set_client(own)
    try:
        assert observability.init() is False
        assert sentry_sdk.get_client() is own
    finally:
        everywhere.set_client(before)


def test_it_says_nothing_at_the_end(capfd):
    """The SDK's own words about pending events go to the terminal."""
    observability.init(DSN)
    sentry_sdk.get_client().integrations["atexit"].callback(3, 2.0)
    assert capfd.readouterr() == ("", "")
