"""Bad input: one clear line that names the setting and the value, exit code 2, no traceback, no secret."""

import os
import socket
from pathlib import Path

import pytest

from nightbench.cli import run_command

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def clean_settings(tmp_path, monkeypatch):
    """No settings but those of the test; everything that is made lies in its folder."""
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("NIGHTBENCH_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("NIGHTBENCH_CACHE", str(tmp_path / "cache"))


def closed_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


# arguments, environment, settings file, and what the line has to name
CASES = {
    "unknown tier": ("run nightlly", {}, "", ["TIER", "nightlly", "known are", "nightly"]),
    "unknown command": ("benchmark", {}, "", ["benchmark", "websocket"]),
    "unknown flag": ("websocket --usrs 3", {}, "", ["--usrs", "--users"]),
    "flag of the other suite": ("database --users 3", {}, "", ["--users"]),
    "tier that is none": ("websocket --tier huge", {}, "", ["--tier", "huge"]),
    "no users": ("websocket --users 0", {}, "", ["--users", "'0'", "greater than 0"]),
    "negative users": ("websocket --users -5", {}, "", ["--users", "'-5'", "greater than 0"]),
    "half a user": ("websocket --users 1.5", {}, "", ["--users", "'1.5'", "integer"]),
    "users in words": ("websocket --users many", {}, "", ["--users", "'many'", "integer"]),
    "too many users": ("websocket --users 99999999", {}, "", ["--users", "50000"]),
    "no duration": ("websocket --duration 0", {}, "", ["--duration", "'0'"]),
    "duration that is no number": ("websocket --duration nan", {}, "", ["--duration", "'nan'", "finite"]),
    "endless duration": ("websocket --duration inf", {}, "", ["--duration", "'inf'"]),
    "negative rate": ("websocket --rate -1", {}, "", ["--rate", "'-1'"]),
    "negative think time": ("websocket --think -1", {}, "", ["--think", "'-1'"]),
    "no timeout": ("websocket --timeout 0", {}, "", ["--timeout", "'0'"]),
    "model that is none": ("websocket --model opne", {}, "", ["--model", "opne", "closed"]),
    "empty message": (["websocket", "--message", ""], {}, "", ["--message"]),
    "target without a limit": (
        ["websocket", "--target", "message.p95 <"],
        {},
        "",
        ["--target", "METRIC OP LIMIT"],
    ),
    "target with a word": (["websocket", "--target", "a.b < fast"], {}, "", ["--target", "a.b < fast"]),
    "URL of another scheme": (
        "websocket --url http://localhost/x",
        {},
        "",
        ["--url", "http://localhost/x", "ws://"],
    ),
    "URL without a host": ("websocket --url ws:///chat", {}, "", ["--url", "ws:///chat", "host"]),
    "URL with an impossible port": ("websocket --url ws://localhost:99999/", {}, "", ["--url", "99999"]),
    "URL with a secret": (f"websocket --url http://u:{SECRET}@h/x", {}, "", ["--url", "***"]),
    "URL with a token": (f"websocket --url http://h/x?token={SECRET}", {}, "", ["--url", "***"]),
    "URL of the environment": (
        "websocket",
        {"NIGHTBENCH_WEBSOCKET_URL": "tcp://h"},
        "",
        ["NIGHTBENCH_WEBSOCKET_URL"],
    ),
    "nothing listens": (f"websocket --url ws://127.0.0.1:{closed_port()}/", {}, "", ["--url", "refused"]),
    "unknown host": ("websocket --url ws://no-such-host.invalid/", {}, "", ["--url", "no-such-host.invalid"]),
    "DSN of another database": (
        f"database --dsn mysql://u:{SECRET}@h/d",
        {},
        "",
        ["--dsn", "mysql://***@h/d", "postgresql://"],
    ),
    "DSN with a slash in its password": (
        "database --dsn postgresql://u:hun/ter2@h/d",
        {},
        "",
        ["--dsn = 'postgresql://***@h/d'", "port is not a number", "percent-encoded"],
    ),
    "DSN with a slash after digits in its password": (
        "database --dsn postgresql://u:5/hunter2@h/d",
        {},
        "",
        ["--dsn = 'postgresql://***@h/d'", "percent-encoded"],
    ),
    "DSN with a ? after digits in its password": (
        "database --dsn postgresql://u:5?hunter2=x@h/d",
        {},
        "",
        ["--dsn = 'postgresql://***@h/d'", "percent-encoded"],
    ),
    "DSN with a # in its password": (
        "database",
        {"NIGHTBENCH_DATABASE_DSN": "postgresql://u:hun#ter2@h/d"},
        "",
        ["NIGHTBENCH_DATABASE_DSN = 'postgresql://***@h/d'", "percent-encoded"],
    ),
    "DSN of Azure with a bad port": (
        "database",
        {},
        "database_dsn = 'postgresql://user@server:hunter2@h:x/d'",
        ["database_dsn = 'postgresql://***@h:x/d'", "port is not a number"],
    ),
    "DSN with a bracket in its password": (
        "database --dsn postgresql://u:hun[ter2@h/d",
        {},
        "",
        ["--dsn = 'postgresql://***@h/d'", "percent-encoded"],
    ),
    "DSN without its host": (
        "database --dsn postgresql://u:hunter2",
        {},
        "",
        ["--dsn = 'postgresql://u:***'", "port is not a number"],
    ),
    "DSN that is a list": ("database", {}, "database_dsn = ['hunter2']", ["database_dsn = '***'"]),
    "URL with a slash in its password": (
        "websocket",
        {"NIGHTBENCH_WEBSOCKET_URL": "ws://u:hun/ter2@h/chat"},
        "",
        ["NIGHTBENCH_WEBSOCKET_URL = 'ws://***@h/chat'", "port is not a number", "percent-encoded"],
    ),
    "URL with a secret in the settings file": (
        "websocket",
        {},
        "websocket_url = 'ws://u:hun?ter2@h/chat'",
        ["websocket_url = 'ws://***@h/chat'", "percent-encoded"],
    ),
    "DSN in libpq's words": (f"database --dsn password={SECRET}", {}, "", ["--dsn", "postgresql://"]),
    "DSN with a port in words": ("database --dsn postgresql://u@h:abc/d", {}, "", ["--dsn", "abc"]),
    "DSN that nothing answers": (
        f"database --dsn postgresql://u:{SECRET}@127.0.0.1:{closed_port()}/d",
        {},
        "",
        ["--dsn", "refused"],
    ),
    "no queries": ("database --queries 0", {}, "", ["--queries", "'0'"]),
    "no workers": ("database --workers 0", {}, "", ["--workers", "'0'"]),
    "no pool": ("database --pool-size 0", {}, "", ["--pool-size", "'0'"]),
    "negative overflow": ("database --max-overflow -1", {}, "", ["--max-overflow", "'-1'"]),
    "environment without a name": (["websocket", "--environment", ""], {}, "", ["--environment"]),
    "results in a file": ("websocket --results taken/results", {}, "", ["results", "taken/results"]),
    "results where nothing can be": (
        "database --results /proc/nightbench",
        {},
        "",
        ["results", "/proc/nightbench"],
    ),
    "cache where nothing can be": (
        "websocket",
        {"NIGHTBENCH_CACHE": "/proc/nightbench"},
        "",
        ["/proc/nightbench"],
    ),
    "JSON into no folder": ("websocket --json nowhere/x.json", {}, "", ["--json", "nowhere/x.json"]),
    "JSON onto a folder": ("websocket --json cache", {}, "", ["--json", "folder"]),
    "misspelled variable": (
        "websocket",
        {"NIGHTBENCH_DATABSE_DSN": f"postgresql://u:{SECRET}@h/d"},
        "",
        ["NIGHTBENCH_DATABSE_DSN", "did you mean NIGHTBENCH_DATABASE_DSN?"],
    ),
    "misspelled variable of a secret": (
        "websocket",
        {"NIGHTBENCH_TOKN": SECRET},
        "",
        ["NIGHTBENCH_TOKN = '***'", "did you mean NIGHTBENCH_TOKEN?"],
    ),
    "part of a variable that has none": (
        "websocket",
        {"NIGHTBENCH_TOKEN__X": SECRET},
        "",
        ["NIGHTBENCH_TOKEN__X = '***'", "did you mean NIGHTBENCH_TOKEN?"],
    ),
    "misspelled number in a variable": (
        "websocket",
        {"NIGHTBENCH_PLAN__QUICK__WEBSOCKET__TOKN": SECRET},
        "",
        ["plan.quick.websocket.tokn = '***'"],
    ),
    "variable that is no JSON": ("websocket", {"NIGHTBENCH_PLAN": f"{{{SECRET}"}, "", ["plan"]),
    "bad number in a variable": (
        "websocket",
        {"NIGHTBENCH_PLAN__QUICK__WEBSOCKET__USERS": "-3"},
        "",
        ["NIGHTBENCH_PLAN__QUICK__WEBSOCKET__USERS", "'-3'"],
    ),
    "misspelled tier in a variable": (
        "websocket",
        {"NIGHTBENCH_PLAN__FUL__WEBSOCKET__USERS": "3"},
        "",
        ["ful", "did you mean full?"],
    ),
    "alert address that is none": (
        "run quick",
        {"NIGHTBENCH_SENTRY_DSN": f"https://{SECRET}"},
        "",
        ["NIGHTBENCH_SENTRY_DSN"],
    ),
    "settings file that is no TOML": ("websocket", {}, "plan = [", ["nightbench.toml", "not TOML"]),
    "settings file with an unknown key": (
        "websocket",
        {},
        "enviroment = 'x'",
        ["enviroment", "did you mean environment?"],
    ),
    "settings file with a misspelled secret": (
        "websocket",
        {},
        f"toke = '{SECRET}'",
        ["toke = '***'", "did you mean token?"],
    ),
    "settings file with an unknown nested key": (
        "websocket",
        {},
        f"[plan.full.websocket]\ntoken = '{SECRET}'",
        ["plan.full.websocket.token = '***'", "no such setting"],
    ),
    "settings file with an unknown table": (
        "websocket",
        {},
        f"[secrets]\nx = '{SECRET}'",
        ["secrets = '***'", "no such setting"],
    ),
    "settings file with a table for a secret": (
        "websocket",
        {},
        f"[token]\nx = '{SECRET}'",
        ["token = '***'"],
    ),
    "settings file with a bad number": (
        "websocket",
        {},
        "[plan.full.database]\nworkers = 0",
        ["plan.full.database.workers", "greater than 0"],
    ),
    "settings file with a bad target": (
        "websocket",
        {},
        "[plan.full.websocket]\ntargets = ['soon']",
        ["plan.full.websocket.targets", "METRIC OP LIMIT"],
    ),
    "settings file with a bad DSN": (
        "database",
        {},
        f"database_dsn = 'oracle://u:{SECRET}@h/d'",
        ["database_dsn", "postgresql://"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_line_and_code_2(case, capsys, monkeypatch, tmp_path):
    arguments, environment, settings_file, names = CASES[case]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    if settings_file:
        Path("nightbench.toml").write_text(settings_file)
    Path("taken").write_text("a file")
    Path("cache").mkdir()

    code = run_command(arguments.split() if isinstance(arguments, str) else arguments)

    out, err = capsys.readouterr()
    assert code == 2, err
    assert err.startswith("nightbench: ")
    assert err.count("\n") == 1
    assert out == ""
    for name in names:
        assert name in err
    assert SECRET not in err
    assert "ter2" not in err  # nor a piece of it


def test_a_settings_file_that_cannot_be_read_is_named(capsys):
    Path("nightbench.toml").mkdir()
    assert run_command(["websocket"]) == 2
    assert "nightbench.toml" in capsys.readouterr().err


def test_a_settings_file_of_another_encoding_is_named(capsys):
    Path("nightbench.toml").write_bytes(b"environment = '\xff\xfe'")
    assert run_command(["websocket"]) == 2
    assert "nightbench.toml" in capsys.readouterr().err
