"""Errors and logs whose text has no end, or raises: an event arrives, soon, and nobody who is watched notices."""

import asyncio
import dataclasses
import logging
import sys
from types import SimpleNamespace

import pytest
from fastapi import FastAPI, HTTPException
from sentry_sdk.integrations.fastapi import FastApiIntegration
from sentry_sdk.integrations.starlette import StarletteIntegration
from watched import ask, kept

from nightbench.observability import capture_exception, privacy
from nightbench.observability.logs import Logs, ToldRecord
from nightbench.observability.privacy.wording import message_of_error

# below no root: the handlers of pytest format whatever they get
LOG = logging.Logger("backend.hostile")  # noqa: LOG001  # as above


class Handled(logging.Handler):
    def emit(self, record):
        """Another handler of the backend, that formats nothing."""


LOG.addHandler(Handled())


def shared(depth=60):
    value = ["leaf"]
    for _ in range(depth):
        value = [value, value]
    return value


def deep(depth=10_000):
    value = "leaf"
    for _ in range(depth):
        value = {"a": value}
    return value


def saying(error):
    def explode(*_):
        raise error

    return type("Saying", (Exception,), {"__str__": explode, "__repr__": explode})()


def detailed(value):
    error = ValueError("with details")
    error.detail = value
    return error


def noted(error, note):
    error.__notes__ = [note, shared(), 7]
    return error


@dataclasses.dataclass
class Held:
    value: object


class AskedError(Exception):
    detail = property(lambda _: sys.exit("a property"))


class Worded:
    def __str__(self):
        return "in its own words"


class Silent:
    def __str__(self):
        raise KeyboardInterrupt

    __repr__ = __str__


def grouped(depth=40):
    group = ValueError("of a group")
    for _ in range(depth):
        group = ExceptionGroup("members", [group, group])
    return group


ERRORS = {
    "shared": lambda: ValueError(shared()),
    "shared in two": lambda: ValueError("why", shared()),
    "shared by key": lambda: KeyError(tuple(shared())),
    "shared in an error": lambda: ValueError(ValueError(shared())),
    "shared in a dataclass": lambda: ValueError(Held(shared())),
    "shared in a namespace": lambda: ValueError(SimpleNamespace(a=shared())),
    "shared in a detail": lambda: detailed(shared()),
    "of HTTP": lambda: HTTPException(418, shared()),
    "deep": lambda: ValueError(deep()),
    "a large number": lambda: ValueError(10**100_000),
    "a large text": lambda: ValueError(["x" * 1_000_000] * 1_000),
    "many": lambda: ValueError([[0]] * 1_000_000),
    "raises": lambda: saying(ValueError()),
    "leaves": lambda: saying(SystemExit(3)),
    "interrupts": lambda: saying(KeyboardInterrupt()),
    "leaves when asked": AskedError,
    "notes": lambda: noted(ValueError("why"), "a note"),
    "group": grouped,
}
EACH = pytest.mark.parametrize("make", ERRORS.values(), ids=ERRORS.keys())


def watching():
    options = {name: each for name, each in privacy.options().items() if name != "transport"}
    privacy.guard_errors()
    return kept(**options, integrations=[Logs(), StarletteIntegration(), FastApiIntegration()])


def types_of(transport):
    return [event["exception"]["values"][-1]["type"] for event in transport.of("event")]


@EACH
def test_an_error_arrives_whoever_catches_it(make):
    error = make()
    app = FastAPI()

    @app.get("/pam")
    async def pam():
        raise error

    with watching() as transport:
        assert capture_exception(error)
        LOG.error("with its trace", exc_info=error)
        if not isinstance(error, HTTPException):  # its answer would be made of the detail, by FastAPI itself
            asyncio.run(ask(app, "/pam"))
    expected = 2 if isinstance(error, HTTPException) else 3
    assert types_of(transport) == [type(error).__name__] * expected


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("why"), "why"),
        (KeyError("why"), "'why'"),
        (OSError(2, "no file", "a.txt"), "[Errno 2] no file: 'a.txt'"),
        (ValueError({"password": "x", "again": shared()}), "{'password': '***', 'again': "),
        (noted(ValueError("why"), "a note"), "why\na note"),
        (saying(SystemExit("x")), "[]"),
        (None, ""),
    ],
)
def test_the_message_of_an_error(error, told):
    assert message_of_error(error).startswith(told)


@pytest.mark.parametrize(
    ("template", "arguments", "told"),
    [
        ("turn %s", (Silent(),), "turn <Silent>"),
        ("turn %s", (shared(),), "turn [[[[[["),
        ("turn %s", (deep(),), "turn {'a': "),
        ("turn %s", (10**100_000,), "turn <int of "),
        ("turn %s", (ValueError(shared()),), "turn [[[["),
        ("turn %s of %s", ("one",), "turn %s of %s"),
        ("turn %s", ("one", "two"), "turn one"),
        ("turn %d", ("one",), "turn one"),
        ("turn %(no)s", ({"n": 1},), "turn %(no)s"),
        ("turn %y", (1,), "turn %y"),
        ("100% of it", (), "100% of it"),
        (ValueError("as an error"), (), "as an error"),
        (Worded(), (), "in its own words"),
        (Silent(), (), "<Silent>"),
        ({"password": "x"}, (), "{'password': '***'}"),
        (shared(), (), "[[[[["),
    ],
    ids=lambda _: "",
)
def test_a_log_arrives_whatever_it_is_about(template, arguments, told):
    with watching() as transport:
        LOG.error(template, *arguments)
        capture_exception(ValueError("after"))
    logged, after = transport.of("event")
    assert logged["logentry"]["formatted"].startswith(told)
    assert after["breadcrumbs"]["values"][-1]["message"].startswith(told)


def test_other_handlers_get_the_record_as_it_was():
    arguments = ("x", "pam")
    record = logging.LogRecord("pam", logging.ERROR, "f.py", 1, "token %s of %s", arguments, None)
    told = ToldRecord(record)
    assert told.getMessage() == "token *** of pam"
    assert (record.msg, record.args) == ("token %s of %s", arguments)
    assert told.msg == record.msg
