"""The Sentry monitor that waits for the nightly flow: its name and when it expects a night.

The limits are Sentry's: a slug of at most 50 characters, one schedule a monitor, intervals of whole minutes.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from nightbench.errors import ConfigurationError

MAX_SLUG = 50
MAX_MINUTES = 40_320
"""Four weeks: as long as Sentry waits for anything."""

_SLUG = "nightbench-nightly"
_UNITS: Sequence[tuple[Literal["week", "day", "hour", "minute"], int]] = (
    ("week", 604_800),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
)
_FORMS = ("cron", "interval", "rrule")


@dataclass(frozen=True)
class Schedule:
    """When the nights are due.

    Attributes:
        value: A crontab of five fields, or how many of `unit` lie between two nights.
        unit: Of an interval; None for a crontab.
        timezone: In which the crontab is read.
    """

    value: str | int
    unit: Literal["week", "day", "hour", "minute"] | None = None
    timezone: str = "UTC"


@dataclass(frozen=True)
class Monitor:
    """What Sentry is told of the nights that it is to wait for.

    Attributes:
        schedule: When they are due.
        margin_minutes: How late one may begin before it counts as missed.
        longest_minutes: How long one may take before it counts as failed.
    """

    schedule: Schedule
    margin_minutes: int
    longest_minutes: int

    def config(self) -> dict[str, Any]:
        """The ``monitor_config`` of a check-in; the first night that is missed or fails is an issue."""
        schedule = self.schedule
        form: dict[str, Any] = {"type": "crontab", "value": schedule.value}
        if schedule.unit is not None:
            form = {"type": "interval", "value": schedule.value, "unit": schedule.unit}
        return {
            "schedule": form,
            "timezone": schedule.timezone,
            "checkin_margin": _minutes(self.margin_minutes),
            "max_runtime": _minutes(self.longest_minutes),
            "failure_issue_threshold": 1,
            "recovery_threshold": 1,
        }


def monitor_slug(environment: str) -> str:
    """The monitor's name: stable, one an environment, ``nightbench-nightly-ENVIRONMENT``.

    What is left out of the environment's name, to make a slug of it, stands for itself as six digits of its hash.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", environment.lower()).strip("-")
    slug = f"{_SLUG}-{plain}"
    if plain == environment and len(slug) <= MAX_SLUG:
        return slug
    mark = hashlib.sha256(environment.encode(errors="replace")).hexdigest()[:6]
    return f"{slug[: MAX_SLUG - 7].rstrip('-')}-{mark}"


def schedule_of(entries: Iterable[Mapping[str, Any]]) -> Schedule | None:
    """The schedule of a deployment, from its ``schedules`` in ``prefect.yaml`` or as a Prefect server has them.

    Args:
        entries: Each with ``cron``, ``interval`` (seconds, or a `timedelta`) or ``rrule``, and ``timezone`` and
            ``active`` as they are set.

    Returns:
        None when nothing is scheduled.

    Raises:
        ConfigurationError: when it is one that no monitor can have.
    """
    active = [entry for entry in entries if entry.get("active") is not False and _form(entry)]
    if not active:
        return None
    found = {_schedule(entry) for entry in active}
    if len(found) > 1:
        every = ", ".join(sorted(str(schedule.value) for schedule in found))
        raise ConfigurationError("schedules", every, "a monitor of Sentry has one schedule")
    return found.pop()


def _form(entry: Mapping[str, Any]) -> str | None:
    return next((form for form in _FORMS if entry.get(form) is not None), None)


def _schedule(entry: Mapping[str, Any]) -> Schedule:
    form = _form(entry)
    value = entry[form or ""]
    zone = str(entry.get("timezone") or "UTC")
    if form == "cron":
        return _crontab(value, zone, either_day=entry.get("day_or") is not False)
    if form == "interval":
        return _interval(value, zone)
    raise ConfigurationError("rrule", str(value), "a monitor of Sentry knows crontabs and intervals only")


def _crontab(value: object, timezone: str, *, either_day: bool) -> Schedule:
    fields = str(value).split()
    if not (len(fields) == 5 or (len(fields) == 1 and fields[0].startswith("@"))):
        raise ConfigurationError("cron", str(value), "a monitor of Sentry takes five fields")
    if len(fields) == 5 and not either_day and "*" not in (fields[2], fields[4]):
        raise ConfigurationError("cron", str(value), "a monitor of Sentry takes either day, not both at once")
    return Schedule(" ".join(fields), timezone=timezone)


def _interval(value: object, timezone: str) -> Schedule:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and math.isfinite(seconds):
        for unit, length in _UNITS:
            if seconds > 0 and seconds % length == 0:
                return Schedule(int(seconds // length), unit, timezone)
    raise ConfigurationError("interval", str(value), "a monitor of Sentry takes whole minutes")


def _minutes(value: float) -> int:
    return max(1, min(math.ceil(value), MAX_MINUTES))
