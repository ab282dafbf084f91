"""Tell Sentry about an error or in words, with what belongs to this one event and to no other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

from nightbench.observability.watching import log, watching

_LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "fatal"})
_OF_THE_SDK = frozenset({"trace", "profile", "replay", "response"})
"""Contexts that tie an event to others; one of ours by that name would cut it off."""

_NO_ERROR = "capture_exception was called without an error"
_UNREADABLE = "redacted: this error could not be read, only its type is told"


def capture_exception(
    error: BaseException,
    context: Mapping[str, Any] | None = None,
    user: Mapping[str, Any] | str | int | None = None,
    tags: Mapping[str, Any] | None = None,
) -> str | None:
    """Send an error.

    What is given belongs to this event alone: no scope is changed, neither the caller's nor that of a task beside
    it. Anything may stand in it; it is copied in bounded size and scrubbed before it leaves.

    Args:
        error: Caught or not; its chain, groups and notes go with it. A class stands for an error of it; anything
            else is sent as a message.
        context: What helps to understand it. A value that is a mapping becomes a context of its name, all else
            stands in one that is called "context".
        user: Whose request it was; only its ``id`` leaves. A text or number is the id.
        tags: What to search by; values become text.

    Returns:
        The event's id; None when Sentry is off, or the event was filtered. Never raises.
    """
    sdk = watching()
    if sdk is None:
        return None
    belongings = _belongings(context, user, tags)
    try:
        event_id: str | None = _sent(sdk, error, belongings)
    except Exception as problem:  # noqa: BLE001  # who watches must not break what is watched
        log.warning("an error could not be captured as it is: %s", type(problem).__name__)
        return _that_it_was(sdk, error)
    return event_id


def capture_message(message: str, level: str = "info", tags: Mapping[str, Any] | None = None) -> str | None:
    """Send a message.

    Args:
        message: What happened; keep it the same each time, for by it events become one issue.
        level: debug, info, warning, error or fatal; "warn" is a warning, an unknown one is info.
        tags: As for `capture_exception`.

    Returns:
        As `capture_exception`.
    """
    sdk = watching()
    if sdk is None:
        return None
    belongings = _belongings(None, None, tags)
    try:
        event_id: str | None = sdk.capture_message(_text(message), level=_level(level), **belongings)
    except Exception as problem:  # noqa: BLE001  # as above
        log.warning("a message could not be captured: %s", type(problem).__name__)
        return None
    return event_id


def _sent(sdk: Any, error: object, belongings: Mapping[str, Any]) -> str | None:
    from nightbench.observability import privacy  # noqa: PLC0415  # only who is watched needs it

    privacy.guard_errors()  # a client of the backend's own may watch
    if type(error) is tuple and len(error) == 3:  # as of `sys.exc_info()`
        error = error[1]
    error = sys.exc_info()[1] if error is None else error
    event_id: str | None
    if issubclass(type(error), BaseException):
        event_id = sdk.capture_exception(error, **belongings)
        return event_id
    event: dict[str, Any] = {"level": "error"}
    if issubclass(type(error), type) and issubclass(cast("type", error), BaseException):
        event["exception"] = {"values": [_of_class(cast("type", error))]}
    else:
        event["message"] = _NO_ERROR if error is None else _text(error)
    event_id = sdk.capture_event(event, **belongings)
    return event_id


def _that_it_was(sdk: Any, error: object) -> str | None:
    """An event that says of what type an error is, where the SDK could not make one of it."""
    try:
        event_id: str | None = sdk.capture_event(
            {"level": "error", "exception": {"values": [_of_class(type(error), _UNREADABLE)]}}
        )
    except Exception:  # noqa: BLE001  # as above
        return None
    return event_id


def _of_class(kind: type, value: str = "") -> dict[str, Any]:
    names = [each if isinstance(each, str) else None for each in (kind.__name__, kind.__module__)]
    mechanism = {"type": "generic", "handled": True}
    return {"type": names[0], "module": names[1], "value": value, "mechanism": mechanism}


def _belongings(context: object, user: object, tags: object) -> dict[str, Any]:
    """What the SDK merges into one event, without a scope; what cannot be read is left out."""
    return {
        name: _made(make, value)
        for name, make, value in (
            ("contexts", _contexts, context),
            ("user", _user, user),
            ("tags", _tags, tags),
        )
    }


def _made(make: Callable[[Any], Any], value: object) -> Any:
    try:
        return make(_bounded(value))
    except Exception as problem:  # noqa: BLE001  # as above
        log.warning("what belongs to an event could not be read: %s", type(problem).__name__)
        return None


def _bounded(value: object) -> Any:
    from nightbench.observability import privacy  # noqa: PLC0415  # only who is watched needs it

    return None if value is None else privacy.bounded(value)


def _contexts(context: Any) -> dict[str, dict[str, Any]] | None:
    if context is None:
        return None
    if not isinstance(context, dict):
        return {"context": {"value": context}}
    own = {
        name: value for name, value in context.items() if isinstance(value, dict) and name not in _OF_THE_SDK
    }
    rest = {name: value for name, value in context.items() if name not in own}
    if not rest:
        return own
    return {**own, "context": {**own.get("context", {}), **rest}}


def _user(user: Any) -> dict[str, Any] | None:
    if user is None or isinstance(user, dict):
        return user
    return {"id": _text(user)}


def _tags(tags: Any) -> dict[str, str] | None:
    if not isinstance(tags, dict):
        return None
    return {str(name): _text(value) for name, value in tags.items() if value is not None}


def _text(value: Any) -> str:
    """Text of what is bounded, or is about to be."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(_bounded(value))


def _level(level: object) -> str:
    name = level.strip().lower() if isinstance(level, str) else ""
    name = "warning" if name == "warn" else name
    return name if name in _LEVELS else "info"
