"""What is sent of an event that could not be scrubbed: that it happened, and nothing it said."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sentry_sdk.envelope import Item, PayloadRef

MESSAGE = "redacted: this event could not be scrubbed, only what it was is told"

_EVENT_ID = re.compile(r"[0-9a-f]{32}")
_LEVELS = frozenset({"fatal", "critical", "error", "warning", "info", "debug"})
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{5,15}(?:Z|[+-]\d\d:?\d\d)?")
RELEASE = re.compile(r"(?:[A-Za-z][\w.+-]{0,99}@)?(?:v?\d[\w.+-]{0,60}|[0-9a-f]{7,40}|unknown)")
ENVIRONMENT = re.compile(r"[A-Za-z][\w.-]{0,63}")
_TYPE = re.compile(r"[A-Za-z_][\w.]{0,99}")
_HARMLESS = re.compile(r"(?:[A-Za-z_][\w.|:/<>()\[\] -]{0,199}|\{\{ ?default ?\}\})")
_MOST_TYPES = 20
_MOST_PARTS = 20


def minimal_event(event: Any) -> dict[str, Any]:
    """Identifier, instant, level, platform, release, environment, fingerprint and exception types of `event`.

    Nothing of it is scrubbed, since scrubbing failed: what is not of a harmless form is left out, or
    hashed in the fingerprint, which has to group as before. Without a fingerprint of its own, the types
    of its exceptions are its fingerprint.
    """
    known: Mapping[str, Any] = event if isinstance(event, dict) else {}
    types = _types(known)
    sent: dict[str, Any] = {
        "event_id": _of_form(known.get("event_id"), _EVENT_ID) or uuid4().hex,
        "timestamp": _instant(known.get("timestamp")),
        "platform": "python",
        "level": _level(known.get("level")),
        "fingerprint": _fingerprint(known.get("fingerprint"), types),
        "tags": {"redacted": "true"},
    }
    for key, form in (("release", RELEASE), ("environment", ENVIRONMENT)):
        if value := _of_form(known.get(key), form):
            sent[key] = value
    if types:
        sent["exception"] = {"values": [{"type": each, "value": MESSAGE} for each in types]}
    else:
        sent["message"] = MESSAGE
    return sent


def minimal_item(item: Item) -> Item | None:
    """The item of a minimal event; None for an item of another kind. It shares no step with what failed."""
    if item.type != "event":
        return None
    content = json.dumps(minimal_event(item.payload.json), allow_nan=False).encode()
    return Item(PayloadRef(bytes=content), type="event", content_type="application/json")


def _of_form(value: Any, form: re.Pattern[str]) -> str | None:
    return str(value) if type(value) is str and form.fullmatch(value) else None


def _level(value: Any) -> str:
    return value if type(value) is str and value in _LEVELS else "error"


def _instant(value: Any) -> float | str:
    if type(value) is float and value == value and abs(value) < 1e11:  # noqa: PLR0124  # NaN
        return value
    return _of_form(value, _INSTANT) or time.time()


def _types(event: Mapping[str, Any]) -> list[str]:
    exception = event.get("exception")
    values = exception.get("values") if isinstance(exception, dict) else exception
    listed = values[:_MOST_TYPES] if isinstance(values, list) else []
    named = (_of_form(each.get("type"), _TYPE) for each in listed if isinstance(each, dict))
    return [each for each in named if each]


def _fingerprint(value: Any, types: list[str]) -> list[str]:
    parts = [_part(each) for each in value[:_MOST_PARTS]] if isinstance(value, list | tuple) else []
    return parts or ["redacted", *types]


def _part(part: Any) -> str:
    if type(part) is not str:
        return f"<{type(part).__name__}>"
    if _HARMLESS.fullmatch(part):
        return part
    return hashlib.sha256(part.encode("utf-8", "replace")).hexdigest()[:16]
