"""An event or transaction, part by part: each by the rule of its place, what has no rule by its keys and values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from nightbench.observability.privacy.attributes import attribute, attributes, described, is_secret
from nightbench.observability.privacy.bounds import UNREADABLE, Bounds, bounded
from nightbench.observability.privacy.breadcrumb import breadcrumbs
from nightbench.observability.privacy.minimal import ENVIRONMENT, RELEASE, minimal_event
from nightbench.observability.privacy.request import address, headers, request
from nightbench.observability.privacy.span import span
from nightbench.observability.privacy.stack import exceptions, stacktrace, threads
from nightbench.observability.privacy.text import identifier, instant, path, sendable, word

_TELLING = Bounds(depth=12, breadth=1_000, nodes=40_000, characters=600_000, text=16_384)
_SMALL = Bounds(depth=8, breadth=100, nodes=2_000, characters=65_536, text=16_384)
_BOUNDS: Mapping[str, Bounds] = {
    **dict.fromkeys(("exception", "threads", "spans", "stacktrace", "modules"), _TELLING),
    # of these two the SDK would tell what lies deeper by its `repr`
    "extra": Bounds(depth=4, breadth=100, nodes=2_000, characters=65_536, text=16_384),
    "breadcrumbs": Bounds(depth=6, breadth=200, nodes=10_000, characters=200_000, text=16_384),
}
_MOST_PARTS = 60
_NEEDED = ("event_id", "timestamp", "fingerprint", "exception", "message", "logentry")


def bounded_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as plain data; each part has bounds of its own, so that none can take the room of another."""
    parts = list(dict.items(event))[:_MOST_PARTS] if isinstance(event, dict) else []
    plain = {
        str(key): bounded(value, _BOUNDS.get(key, _SMALL)) for key, value in parts if isinstance(key, str)
    }
    if any(plain.get(key) == UNREADABLE for key in _NEEDED):
        raise ValueError(UNREADABLE)  # without these it would be no event of its issue
    return plain


def scrubbed_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event or transaction as it may be sent. Never raises: of one that cannot be scrubbed, the minimum is left."""
    try:
        return by_parts(event)
    except Exception:  # noqa: BLE001  # fail closed: RecursionError and MemoryError as well
        return minimal_event(event)


def by_parts(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event or transaction scrubbed; raises whatever its scrubbing raises."""
    sent: dict[str, Any] = {}
    for key, value in bounded_event(event).items():
        if key not in _LEFT_OUT:
            sent[key if key in _PARTS else sendable(key)] = _PARTS.get(key, sendable)(value)
    return sent


def user(value: Any) -> dict[str, Any]:
    """The user: an identifier that the scrubber finds nothing in, nothing else of a person."""
    given = value.get("id") if isinstance(value, Mapping) else None
    if isinstance(given, bool | float) or given is None:
        return {}
    text = str(given)
    return {"id": given} if len(text) <= 100 and sendable(text) == text else {}


def contexts(value: Any) -> dict[str, Any]:
    """The contexts of an event by name; the trace's identifiers stay, so that the event finds its trace."""
    sent: dict[str, Any] = {}
    for name, bag in value.items() if isinstance(value, Mapping) else ():
        match name:
            case "trace":
                sent[name] = span(bag)
            case "response":
                sent[name] = _response(bag)
            case "user":
                sent[name] = user(bag)
            case "feedback" if isinstance(bag, Mapping):
                sent[name] = attributes({key: each for key, each in bag.items() if key not in _OF_A_PERSON})
            case _:
                sent.update(_bag(name, bag))
    return sent


def _bag(name: str, bag: Any) -> dict[str, Any]:
    if not isinstance(bag, Mapping):
        return attribute(name, bag)
    if is_secret(name):
        told = attribute(name, bag)
        # a server takes no text for a context
        return {key: each if isinstance(each, Mapping) else {"value": each} for key, each in told.items()}
    return {sendable(name): attributes(bag)}


def _response(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return {}
    sent = {
        key: each for key, each in value.items() if key in ("status_code", "body_size") and type(each) is int
    }
    return {**sent, "headers": headers(value["headers"])} if "headers" in value else sent


def _logentry(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return sendable(value)
    return {key: sendable(value[key]) for key in ("message", "formatted") if key in value}


def _tags(value: Any) -> Any:
    if isinstance(value, list):
        pairs = [each for each in value if isinstance(each, list) and len(each) == 2]
        return attributes({str(key): each for key, each in pairs})
    return attributes(value) if isinstance(value, Mapping) else {}


def _transaction(value: Any) -> Any:
    return address(value) if isinstance(value, str) and ("/" in value or "?" in value) else sendable(value)


def _fingerprint(value: Any) -> Any:
    return (
        [sendable(each) if isinstance(each, str) else str(each) for each in value]
        if isinstance(value, list)
        else []
    )


def configured(value: Any) -> Any:
    """Release, dist and environment are configuration, and ``service@1.2.3`` is no e-mail address."""
    is_one = isinstance(value, str) and (RELEASE.fullmatch(value) or ENVIRONMENT.fullmatch(value))
    return value if is_one else sendable(value)


def _server(value: Any) -> Any:
    return path(value) if isinstance(value, str) else sendable(value)


def _measurements(value: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    for key, each in value.items() if isinstance(value, Mapping) else ():
        if isinstance(each, Mapping) and isinstance(each.get("value"), int | float):
            sent[sendable(key)] = {"value": each["value"], "unit": word(each.get("unit"))}
    return sent


def _modules(value: Any) -> Any:
    return (
        {sendable(key): _version(each) for key, each in value.items() if isinstance(each, str)}
        if isinstance(value, Mapping)
        else {}
    )


def _version(value: str) -> Any:
    return value if _VERSION.fullmatch(value) else sendable(value)


def _spans(value: Any) -> list[Any]:
    return [span(each) for each in value] if isinstance(value, list) else []


_VERSION = re.compile(r"v?\d[\w.+!-]{0,40}")
_OF_A_PERSON = frozenset({"name", "contact_email", "associated_event_email"})

_LEFT_OUT = frozenset({"_meta", "debug_meta", "culprit", "site", "_metrics_summary"})
"""Remarks that quote keys and lengths of what was cut, and what the server makes itself."""

_PARTS: Mapping[str, Callable[[Any], Any]] = {
    "breadcrumbs": breadcrumbs,
    "contexts": contexts,
    "dist": configured,
    "environment": configured,
    "event_id": identifier,
    "exception": exceptions,
    "extra": attributes,
    "fingerprint": _fingerprint,
    "level": word,
    "logentry": _logentry,
    "logger": word,
    "measurements": _measurements,
    "message": sendable,
    "modules": _modules,
    "platform": word,
    "release": configured,
    "request": request,
    "server_name": _server,
    "spans": _spans,
    "stacktrace": stacktrace,
    "start_timestamp": instant,
    "tags": _tags,
    "threads": threads,
    "timestamp": instant,
    "transaction": _transaction,
    "type": word,
    "user": user,
}


def named_transaction(name: Any, op: Any = "http") -> Any:
    """The name of a transaction in an envelope's header or a profile, as in the event."""
    return described(op, name) if isinstance(name, str) and "/" in name else sendable(name)
