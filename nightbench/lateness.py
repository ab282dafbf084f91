"""Whether a scheduled run begins so late that it is given up: nights of a downtime are not made up for in a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nightbench.variables import PREFIX

SETTING = f"{PREFIX}RUN__LATE_MINUTES"


def too_late(due: datetime | None, now: datetime, late_minutes: float) -> str:
    """Why a run that was due at `due` is not begun at `now`; empty when it is.

    Args:
        due: When its schedule had it begin; None for a run that somebody has asked for, which is never late.
        now: When it would begin; both know their time zone.
        late_minutes: How late a run may begin; as late as that is still in time.
    """
    if due is None or now - due <= timedelta(minutes=late_minutes):
        return ""
    return (
        f"not begun: it was due at {_told(due)} and it is {_told(now)}, which is more than {late_minutes:g} minutes "
        f"later ({SETTING}); the next one runs in its time, or start one by hand"
    )


def _told(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
