"""What is dropped: errors of health checks, at a desk those of connections; nothing else, and nothing by mistake."""

import logging
import socket

import psycopg
import pytest
import redis
import sqlalchemy.exc
from fastapi import WebSocketDisconnect
from psycopg_pool import PoolTimeout
from starlette.requests import ClientDisconnect
from websockets.exceptions import ConnectionClosedError

from nightbench.observability.connections import is_connection_error
from nightbench.observability.filters import event_filter

DESK, PRODUCTION = event_filter(development=True), event_filter(development=False)


def event(url=None, **more):
    return {"event_id": "1", **({"request": {"url": url}} if url else {}), **more}


def raised(error):
    return {"exc_info": (type(error), error, None)}


def caused(error, by):
    error.__cause__ = by
    return error


def during(error, other):
    error.__context__ = other
    return error


def log_record(name, text, *args):
    return logging.LogRecord(name, logging.ERROR, __file__, 1, text, args, None)


@pytest.mark.parametrize("keep", [DESK, PRODUCTION])
@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/health", "https://pam.example/api/v1/health?x=1", "/readyz", "ws://h/status"],
)
def test_an_error_of_a_health_check_is_dropped(keep, url):
    assert keep(event(url), raised(ValueError())) is None


@pytest.mark.parametrize(
    "url", ["http://h/api/v1/pam", "http://h/users/42/health", "http://h/?next=/health", "http://["]
)
def test_an_error_of_any_other_request_is_kept(url):
    assert DESK(event(url), raised(ValueError())) == event(url)


def test_the_address_counts_before_the_name():
    given = event("http://h/api/v1/pam", transaction="/health")
    assert PRODUCTION(given, {}) == given


def test_without_an_address_the_name_counts():
    assert PRODUCTION(event(transaction="GET /health"), {}) is None


@pytest.mark.parametrize(
    ("record", "dropped"),
    [
        (
            log_record(
                "uvicorn.access", '%s - "%s %s HTTP/%s" %d', "1.2.3.4:5", "GET", "/health", "1.1", 503
            ),
            True,
        ),
        (log_record("gunicorn.access", '- "GET /api/v1/ready HTTP/1.1" 500'), True),
        (
            log_record("uvicorn.access", '%s - "%s %s HTTP/%s" %d', "1.2.3.4:5", "GET", "/api", "1.1", 503),
            False,
        ),
        (log_record("pam.chat", "GET /health failed"), False),
        (log_record("uvicorn.access", "%d", "no number"), False),
    ],
)
def test_a_line_of_an_access_log_about_a_health_check_is_dropped(record, dropped):
    assert (PRODUCTION(event(), {"log_record": record}) is None) is dropped


def refused():
    return psycopg.OperationalError(
        'connection failed: connection to server at "127.0.0.1", port 1 failed: refused'
    )


CONNECTION = [
    ConnectionRefusedError(),
    BrokenPipeError(),
    ConnectionResetError(104, "reset"),
    socket.gaierror(-2, "Name or service not known"),
    WebSocketDisconnect(1006),
    ClientDisconnect(),
    ConnectionClosedError(None, None),
    redis.ConnectionError("Error 111 connecting to 127.0.0.1:6379."),
    redis.exceptions.BusyLoadingError(),
    refused(),
    psycopg.errors.AdminShutdown("terminating connection"),
    psycopg.errors.CannotConnectNow("the database system is starting up"),
    psycopg.errors.ConnectionTimeout("connection timeout expired"),
    PoolTimeout("couldn't get a connection after 30.00 sec"),
    sqlalchemy.exc.OperationalError("SELECT 1", {}, refused()),
    caused(RuntimeError("the reply failed"), refused()),
    caused(RuntimeError(), caused(KeyError(), ConnectionResetError())),
    ExceptionGroup("both", [refused(), ConnectionResetError()]),
    ExceptionGroup("deep", [ExceptionGroup("inner", [refused()])]),
    caused(ValueError(), ExceptionGroup("all", [refused()])),
]

OTHERS = [
    ValueError("connection refused"),
    TimeoutError(),
    OSError(28, "No space left on device"),
    redis.ResponseError(),
    psycopg.errors.DeadlockDetected("deadlock detected"),
    psycopg.errors.DiskFull("could not extend file"),
    psycopg.errors.QueryCanceled("canceling statement due to statement timeout"),
    psycopg.OperationalError("out of memory"),
    psycopg.errors.UniqueViolation("connection refused"),
    sqlalchemy.exc.ProgrammingError("SELECT 1", {}, psycopg.errors.UndefinedTable("no table")),
    during(KeyError("a mistake while it was handled"), ConnectionResetError()),
    ExceptionGroup("one is a mistake", [refused(), KeyError()]),
]


@pytest.mark.parametrize("error", CONNECTION, ids=repr)
def test_at_a_desk_an_error_of_a_connection_is_dropped(error):
    assert DESK(event("http://h/api"), raised(error)) is None


@pytest.mark.parametrize("error", CONNECTION, ids=repr)
def test_in_production_an_error_of_a_connection_is_kept(error):
    assert PRODUCTION(event("http://h/api"), raised(error)) is not None


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_at_a_desk_every_other_error_is_kept(error):
    assert DESK(event("http://h/api"), raised(error)) is not None


def test_a_chain_that_has_no_end_is_looked_at_for_a_while():
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert not is_connection_error(first)


class _HostileError(psycopg.OperationalError):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (event("http://h/api"), raised(_HostileError())),
        (event(request=7), {"exc_info": 7}),
        (event("http://h/api", transaction=7), {"exc_info": (None, None, None)}),
        (event(), None),
    ],
)
def test_what_cannot_be_judged_is_kept(given, hint):
    assert DESK(given, hint) is given


def test_the_error_of_a_health_check_is_dropped_where_the_server_logs_it_again():
    error = ValueError("the database is away")
    assert PRODUCTION(event("http://h/health"), raised(error)) is None
    assert PRODUCTION(event(logger="uvicorn.error"), raised(error)) is None
    assert PRODUCTION(event(logger="uvicorn.error"), raised(ValueError("another"))) is not None


@pytest.mark.parametrize("code", [1000, 1001, 1005])
def test_a_websocket_that_closed_well_is_no_error_anywhere(code):
    assert PRODUCTION(event("ws://h/api/v1/pam"), raised(WebSocketDisconnect(code))) is None


@pytest.mark.parametrize("code", [1006, 1008, 1011])
def test_one_that_broke_is_kept_in_production(code):
    assert PRODUCTION(event("ws://h/api/v1/pam"), raised(WebSocketDisconnect(code))) is not None
