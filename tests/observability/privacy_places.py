"""Sends a text from each place where one can stand in what a backend tells Sentry."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pydantic
import sentry_sdk
import sqlalchemy
from sentry_sdk.integrations.asgi import SentryAsgiMiddleware

Sender = Callable[[str], str | None]

LOG = logging.getLogger("backend.privacy")
LOG.propagate = False
LOG.setLevel(logging.DEBUG)


class Person:
    """An object whose texts are secrets."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Person({self.text})"

    __str__ = __repr__


def throw(error: Exception) -> None:
    raise error


def raised(error: Exception) -> str | None:
    try:
        throw(error)
    except Exception as caught:  # noqa: BLE001
        return sentry_sdk.capture_exception(caught)
    return None


def logged(*arguments: Any, **more: Any) -> str | None:
    with sentry_sdk.isolation_scope():
        LOG.error(*arguments, **more)
        return sentry_sdk.last_event_id()


def event(**parts: Any) -> str | None:
    return sentry_sdk.capture_event({"message": "an event", "level": "error", **parts})


def request(**parts: Any) -> str | None:
    return event(request={"url": "http://pam.example/api", "method": "GET", **parts})


def header(name: str) -> Sender:
    return lambda text: request(headers={name: text})


def crumb(**parts: Any) -> str | None:
    with sentry_sdk.isolation_scope():
        sentry_sdk.add_breadcrumb(**parts)
        return sentry_sdk.capture_message("after a breadcrumb")


def scoped(change: Callable[[sentry_sdk.Scope], None]) -> str | None:
    with sentry_sdk.isolation_scope() as scope:
        change(scope)
        return sentry_sdk.capture_message("with a scope")


def cause(text: str) -> str | None:
    error = RuntimeError("outer")
    error.__cause__ = ValueError(text)
    return raised(error)


def while_handling(text: str) -> str | None:
    try:
        throw(ValueError(text))
    except ValueError:
        return raised(RuntimeError("outer"))
    return None


def note(text: str) -> str | None:
    error = ValueError("with a note")
    error.add_note(text)
    return raised(error)


def log_exception(text: str) -> str | None:
    try:
        throw(ValueError(text))
    except ValueError:
        return logged("an exception", exc_info=True)
    return None


def frame_path(text: str) -> str | None:
    try:
        exec(compile("1 / 0", text, "exec"), {})
    except ZeroDivisionError as error:
        return sentry_sdk.capture_exception(error)
    return None


def local_variable(text: str) -> str | None:
    held = [text]
    try:
        held[len(text)]
    except IndexError as error:
        return sentry_sdk.capture_exception(error)
    return None


def source_line(_text: str) -> str | None:
    try:
        _ = _text[1_000], "source-hunter2"
    except IndexError as error:
        return sentry_sdk.capture_exception(error)
    return None


def sqlalchemy_error(text: str) -> str | None:
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        try:
            connection.execute(sqlalchemy.text("INSERT INTO nowhere (nick) VALUES (:nick)"), {"nick": text})
        except sqlalchemy.exc.OperationalError as error:
            return sentry_sdk.capture_exception(error)
    return None


def pydantic_error(text: str) -> str | None:
    try:
        pydantic.TypeAdapter(dict[str, int]).validate_python({"pin": text})
    except pydantic.ValidationError as error:
        return sentry_sdk.capture_exception(error)
    return None


def asgi(text: str) -> str | None:
    """What the middleware of the SDK tells of a WebSocket whose backend fails."""
    scope = {
        "type": "websocket",
        "path": "/api/v1/pam",
        "query_string": f"token={text}".encode(),
        "headers": [(b"host", b"pam.example"), (b"sec-websocket-protocol", f"bearer, {text}".encode())],
        "client": ("198.51.100.9", 4711),
        "server": ("pam.example", 80),
    }
    seen: list[str | None] = []

    async def backend(*_: Any) -> None:
        seen.append(raised(ValueError("the backend failed")))

    async def nothing(*_: Any) -> None: ...

    asyncio.run(SentryAsgiMiddleware(backend)(scope, nothing, nothing))
    return seen[0]


def nested(key: str, value: Any, depth: int) -> dict[str, Any]:
    return {key: value} if depth == 0 else {"inner": nested(key, value, depth - 1)}


PLACES: dict[str, Sender] = {
    "message": sentry_sdk.capture_message,
    "exception": lambda text: raised(ValueError(text)),
    "cause": cause,
    "while handling": while_handling,
    "group": lambda text: raised(ExceptionGroup("several", [ValueError(text), KeyError("other")])),
    "group in a group": lambda text: raised(
        ExceptionGroup("several", [ExceptionGroup("more", [ValueError(text)])])
    ),
    "note": note,
    "log message": logged,
    "log exception": log_exception,
    "log argument": lambda text: logged(*_split(text)),
    "log argument, named": lambda text: logged("login with %(password)s", {"password": text}),
    "log argument, object": lambda text: logged("login of %s and %r", Person(text), Person(text)),
    "log argument, dict": lambda text: logged("login with %s", [{"password": text}]),
    "log extra": lambda text: logged("login", extra={"password": text}),
    "log extra, object": lambda text: logged("login", extra={"person": Person(text)}),
    "breadcrumb": lambda text: crumb(message=text),
    "breadcrumb data": lambda text: crumb(message="m", data={"password": text}),
    "breadcrumb, query": lambda text: crumb(message=text, category="query"),
    "breadcrumb, address": lambda text: crumb(type="http", category="httplib", data={"url": text}),
    "breadcrumb, process": lambda text: crumb(message=text, category="subprocess", type="subprocess"),
    "extra": lambda text: scoped(lambda scope: scope.set_extra("api_key", text)),
    "extra, deep": lambda text: scoped(lambda scope: scope.set_extra("what", nested("said", text, 2))),
    "extra, deeper than is told": lambda text: scoped(
        lambda scope: scope.set_extra("what", nested("said", text, 9))
    ),
    "extra, bytes": lambda text: scoped(lambda scope: scope.set_extra("what", text.encode())),
    "extra, object": lambda text: scoped(lambda scope: scope.set_extra("what", [Person(text)])),
    "extra, in a list": lambda text: scoped(lambda scope: scope.set_extra("what", [{"password": text}])),
    "extra, a number": lambda text: scoped(lambda scope: scope.set_extra("what", [int(text)])),
    "context": lambda text: scoped(lambda scope: scope.set_context("login", {"said": [text]})),
    "context, a secret": lambda text: scoped(lambda scope: scope.set_context("login", {"password": text})),
    "context, pairs of headers": lambda text: scoped(
        lambda scope: scope.set_context("call", {"headers": [["authorization", text]]})
    ),
    "tag": lambda text: scoped(lambda scope: scope.set_tag("said", text)),
    "tag, a secret": lambda text: scoped(lambda scope: scope.set_tag("session_token", text)),
    "user e-mail": lambda text: scoped(lambda scope: scope.set_user({"email": text})),
    "user name": lambda text: scoped(lambda scope: scope.set_user({"username": text})),
    "user address": lambda text: scoped(lambda scope: scope.set_user({"ip_address": text})),
    "user, other field": lambda text: scoped(lambda scope: scope.set_user({"id": "7", "nick": text})),
    "user id": lambda text: scoped(lambda scope: scope.set_user({"id": text})),
    "header": header("Authorization"),
    "header, unknown": header("X-Tenant-Ticket"),
    "header, subprotocol": header("sec-websocket-protocol"),
    "header, cookie": header("cookie"),
    "header, forwarded": header("x-forwarded-for"),
    "header, referer": header("Referer"),
    "header, harmless": header("accept-encoding"),
    "query string": lambda text: request(query_string=text),
    "request address": lambda text: request(url=text),
    "request body": lambda text: request(data={"said": text}),
    "request cookies": lambda text: request(cookies={"theme": text}),
    "request environment": lambda text: request(env={"REMOTE_ADDR": text}),
    "transaction name": lambda text: event(transaction=text),
    "frame path": frame_path,
    "local variable": local_variable,
    "source line": source_line,
    "thread name": lambda text: event(threads={"values": [{"id": 1, "name": text}]}),
    "SQLAlchemy error": sqlalchemy_error,
    "pydantic error": pydantic_error,
    "WebSocket of a backend": asgi,
    "fingerprint": lambda text: event(fingerprint=["login", text]),
    "unknown part": lambda text: event(novelty={"password": text}),
}


def _split(text: str) -> tuple[str, ...]:
    """A template with the text as its argument; of `… token VALUE of …`, the value is the argument."""
    before, sign, rest = text.partition("token ")
    value, _, after = rest.partition(" ")
    return (f"{before}token %s {after}", value) if sign and after else ("it said %s", text)
