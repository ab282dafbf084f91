"""Tell Sentry about an error or in words, with what belongs to this one event and to no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightbench.observability.watching import log, watching

_LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "fatal"})
_OF_THE_SDK = frozenset({"trace", "profile", "replay", "response"})
"""Contexts that tie an event to others; one of ours by that name would cut it off."""


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
        error: Caught or not; its chain, groups and notes go with it.
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
    try:
        event_id: str | None = sdk.capture_exception(error, **_belongings(context, user, tags))
    except Exception as problem:  # noqa: BLE001  # who watches must not break what is watched
        log.warning("an error could not be captured: %s", type(problem).__name__)
        return None
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
    try:
        belongings = _belongings(None, None, tags)
        event_id: str | None = sdk.capture_message(_text(message), level=_level(level), **belongings)
    except Exception as problem:  # noqa: BLE001  # as above
        log.warning("a message could not be captured: %s", type(problem).__name__)
        return None
    return event_id


def _belongings(context: object, user: object, tags: object) -> dict[str, Any]:
    """What the SDK merges into one event, without a scope."""
    return {
        "contexts": _contexts(_bounded(context)),
        "user": _user(_bounded(user)),
        "tags": _tags(_bounded(tags)),
    }


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
