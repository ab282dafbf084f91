"""Addresses that cannot be used are told without a secret, or a piece of one."""

import pytest
from cli.conftest import SECRET

NOBODY = "127.0.0.1:9"
"""No port of those that a server of another test may be given."""

# arguments, environment, settings file, and what the line has to name
CASES = {
    "URL with a placeholder": (
        ["websocket", "--url", "wss://h/chat?token=${token}"],
        {},
        "",
        ["--url = 'wss://h/chat'", "a URL has no placeholders"],
    ),
    "URL of another scheme": (
        "websocket --url http://localhost/x",
        {},
        "",
        ["--url", "http://localhost/x", "ws://"],
    ),
    "URL without a host": ("websocket --url ws:///chat", {}, "", ["--url", "ws:///chat", "host"]),
    "URL with an impossible port": ("websocket --url ws://localhost:99999/", {}, "", ["--url", "99999"]),
    "URL with a secret": (f"websocket --url http://u:{SECRET}@h/x", {}, "", ["--url", "***"]),
    "URL with a token": (f"websocket --url http://h/x?token={SECRET}", {}, "", ["--url = 'http://h/x'"]),
    "URL of the environment": (
        "websocket",
        {"NIGHTBENCH_WEBSOCKET_URL": "tcp://h"},
        "",
        ["NIGHTBENCH_WEBSOCKET_URL"],
    ),
    "nothing listens": (f"websocket --url ws://{NOBODY}/", {}, "", ["--url", "refused"]),
    "unknown host": ("websocket --url ws://no-such-host.invalid/", {}, "", ["--url", "no-such-host.invalid"]),
    "URL with a host that is none": (
        "websocket --url ws://a..b/x",
        {},
        "",
        ["--url = 'ws://a..b/x'", "a part of its host is empty"],
    ),
    "URL with a host that is none in a run": (
        "run quick",
        {"NIGHTBENCH_WEBSOCKET_URL": f"ws://{'a' * 64}/x"},
        "",
        ["NIGHTBENCH_WEBSOCKET_URL = 'ws://aaa", "too long"],
    ),
    "URL with a fragment": (
        "websocket --url ws://127.0.0.1:8765/x#frag",
        {},
        "",
        ["--url = 'ws://127.0.0.1:8765/x'", "fragment"],
    ),
    "URL with a user without a password": (
        "websocket --url ws://user@127.0.0.1:8765/x",
        {},
        "",
        ["--url = 'ws://***@127.0.0.1:8765/x'", "without password"],
    ),
    "URL of another scheme with a ticket": (
        f"websocket --url http://localhost/x?ticket={SECRET}",
        {},
        "",
        ["--url = 'http://localhost/x'", "ws://"],
    ),
    "URL with a ticket that nothing answers": (
        f"websocket --url ws://{NOBODY}/x?ticket={SECRET}",
        {},
        "",
        ["--url", "/x'", "refused"],
    ),
    "DSN with a host that is none": (
        "database --dsn postgresql://a@a..b/c",
        {},
        "",
        ["--dsn / NIGHTBENCH_DATABASE_DSN = 'postgresql://***@a..b/c'", "looked up"],
    ),
    "DSN with a host that is none in its query": (
        "run quick",
        {"NIGHTBENCH_DATABASE_DSN": "postgresql:///d?host=a..b"},
        "",
        ["NIGHTBENCH_DATABASE_DSN = 'postgresql:///d?host=a..b'", "looked up"],
    ),
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
    "DSN with a password under a name that is none": (
        ["database", "--dsn", f"host=h passwrd={SECRET}"],
        {},
        "",
        ["--dsn = '***'", "postgresql://"],
    ),
    "DSN in words without quotes": (f"database --dsn host=h pwd={SECRET}", {}, "", ["pwd=***"]),
    "DSN that is a password": (f"database --dsn {SECRET}", {}, "", ["--dsn = '***'", "postgresql://"]),
    "DSN with a port in words": ("database --dsn postgresql://u@h:abc/d", {}, "", ["--dsn", "abc"]),
    "DSN that nothing answers": (
        f"database --dsn postgresql://u:{SECRET}@{NOBODY}/d",
        {},
        "",
        ["--dsn", "refused"],
    ),
    "alert address that is none": (
        "run quick",
        {"NIGHTBENCH_SENTRY_DSN": f"https://{SECRET}"},
        "",
        ["NIGHTBENCH_SENTRY_DSN"],
    ),
    "watcher's address that is none": (
        "run quick",
        {"NIGHTBENCH_REFERENCE_SENTRY_DSN": f"https://{SECRET}"},
        "",
        ["NIGHTBENCH_REFERENCE_SENTRY_DSN"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_address_is_one_line_and_code_2(case, refused):
    refused(*CASES[case])
