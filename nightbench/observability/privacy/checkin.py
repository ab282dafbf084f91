"""Check-ins of a monitor: its name, its state and what is known of its schedule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nightbench.observability.privacy.bounds import bounded
from nightbench.observability.privacy.event import configured, contexts
from nightbench.observability.privacy.text import identifier, sendable
from nightbench.scrub import REDACTED

_SLUG = re.compile(r"[a-z0-9_-]{1,50}")
_STATES = frozenset({"ok", "error", "in_progress", "timeout", "missed"})
_NUMBERS = ("checkin_margin", "max_runtime", "failure_issue_threshold", "recovery_threshold")
_CRONTAB = re.compile(r"(?:[\d*,/A-Za-z#?-]{1,40} ){4}[\d*,/A-Za-z#?-]{1,40}|@[a-z]{1,12}")
_ZONE = re.compile(r"[A-Za-z]{2,20}(?:/[A-Za-z_+-]{2,30}\d{0,2}){0,2}")
_OWNER = re.compile(r"(?:user|team):\d{1,10}")
_UNITS = frozenset({"year", "month", "week", "day", "hour", "minute"})


def check_in(value: Mapping[str, Any]) -> dict[str, Any]:
    """A check-in scrubbed; of its configuration what Sentry knows, each member of its own type."""
    known = bounded(value)
    sent: dict[str, Any] = {}
    for key, each in known.items():
        match key:
            case "check_in_id":
                sent[key] = identifier(each)
            case "monitor_slug":
                sent[key] = each if _is(each, _SLUG) and sendable(each) == each else _other(each)
            case "status" if isinstance(each, str) and each in _STATES:
                sent[key] = each
            case "duration" if type(each) in (int, float):
                sent[key] = each
            case "release" | "environment":
                sent[key] = configured(each)
            case "monitor_config" if isinstance(each, dict):
                sent[key] = _monitor(each)
            case "contexts":
                sent[key] = contexts(each)
    return sent


def _other(slug: Any) -> Any:
    return sendable(slug) if isinstance(slug, str) else REDACTED


def _monitor(value: Mapping[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {key: value[key] for key in _NUMBERS if type(value.get(key)) is int}
    forms = (("timezone", _ZONE), ("owner", _OWNER))
    sent.update({key: value[key] for key, form in forms if _is(value.get(key), form)})
    schedule = value.get("schedule")
    if isinstance(schedule, dict) and (told := _schedule(schedule)):
        sent["schedule"] = told
    return sent


def _schedule(value: Mapping[str, Any]) -> dict[str, Any] | None:
    match value:
        case {"type": "crontab", "value": str(line)} if _CRONTAB.fullmatch(line):
            return {"type": "crontab", "value": line}
        case {"type": "interval", "value": int(number), "unit": str(unit)} if unit in _UNITS:
            return {"type": "interval", "value": number, "unit": unit}
    return None


def _is(value: Any, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None
