"""Breadcrumbs: bounded when they are left, scrubbed by what they tell of when they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from logging import LogRecord
from typing import Any

from nightbench.observability.privacy.attributes import attributes, described
from nightbench.observability.privacy.bounds import bounded
from nightbench.observability.privacy.logentry import filled
from nightbench.observability.privacy.stack import values_of
from nightbench.observability.privacy.text import identifier, instant, sendable, word

_OPERATIONS = {"query": "db", "redis": "db.redis", "httplib": "http", "subprocess": "subprocess"}
"""The category of a breadcrumb of the SDK's integrations → the operation of the span beside it."""


def before_breadcrumb(crumb: Any, hint: Any) -> Any:
    """A breadcrumb as plain data of bounded size, made while it is left; never raises, never drops one."""
    try:
        copy = bounded(crumb)
        if not isinstance(crumb, dict) or not isinstance(copy, dict):
            return copy if isinstance(copy, dict) else {}
        if type(crumb.get("timestamp")) is datetime:
            copy["timestamp"] = crumb["timestamp"]  # the SDK sorts by it
        record = hint.get("log_record") if isinstance(hint, Mapping) else None
        if isinstance(record, LogRecord) and (message := filled(record.msg, record.args)) is not None:
            copy["message"] = bounded(message)
    except Exception:  # noqa: BLE001  # a breadcrumb of a hostile type
        return {}
    return copy


def breadcrumbs(value: Any) -> dict[str, Any]:
    """The breadcrumbs of an event, ``{"values": […]}`` or a list, scrubbed."""
    return values_of(value, breadcrumb)


def breadcrumb(value: Mapping[str, Any]) -> dict[str, Any]:
    """One breadcrumb scrubbed: statements, commands and addresses by their category."""
    sent: dict[str, Any] = {}
    data = value.get("data")
    system = data.get("db.system") if isinstance(data, Mapping) else None
    operation = _OPERATIONS.get(str(value.get("category")), "http" if value.get("type") == "http" else "")
    for key, each in value.items():
        match key:
            case "message":
                sent[key] = described(operation, each, system)
            case "data":
                sent[key] = attributes(each)
            case "level" | "type" | "category":
                sent[key] = word(each)
            case "timestamp":
                sent[key] = instant(each)
            case "event_id":
                sent[key] = identifier(each)
            case _:
                sent[key] = sendable(each)
    return sent
