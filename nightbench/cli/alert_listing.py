"""How it stands with the alerts, as JSON and as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from nightbench.alerts.outbox_status import KeptAlert, OutboxStatus
from nightbench.alerts.state import Known

_SHOWN = 20


def status_document(found: OutboxStatus, known: Known, place: str, *, has_dsn: bool) -> dict[str, Any]:
    """JSON-like data; instants are ISO 8601 in UTC, sizes bytes."""
    return {
        "schema": 1,
        "outbox": place,
        "dsn_is_set": has_dsn,
        "waiting": [_row(each) for each in found.waiting],
        "oldest": found.waiting[0].since.isoformat() if found.waiting else None,
        "size": found.size,
        "rejected": [_row(each) for each in found.rejected],
        "dropped": found.dropped,
        "paused_until": found.paused_until.isoformat() if found.paused_until else None,
        "open": [{**asdict(each), "last_at": each.last_at.isoformat()} for each in known.entries],
        "problem": known.problem,
    }


def status_lines(found: OutboxStatus, known: Known, place: str, now: datetime) -> list[str]:
    """Lines for people: the outbox first, then what is open."""
    return list(_lines(found, known, place, now))


def _lines(found: OutboxStatus, known: Known, place: str, now: datetime) -> Iterator[str]:
    if found.waiting:
        oldest = found.waiting[0].since
        amount, kib = len(found.waiting), found.size / 1024
        yield f"{amount:,} waiting in {place}: {kib:,.1f} KiB, the oldest since {_minute(oldest)} ({_for(now - oldest)})"
        yield from _listed(found.waiting)
    else:
        yield f"nothing waits in {place}"
    if found.rejected:
        yield f"{len(found.rejected):,} rejected; `nightbench alerts flush --rejected` tries them again"
        yield from _listed(found.rejected)
    if found.dropped:
        yield f"{found.dropped:,} dropped since there is this outbox: waited too long, or too much waited"
    if found.paused_until:
        yield f"the server asked to be left alone until {found.paused_until:%Y-%m-%d %H:%M:%S} UTC"
    if known.entries:
        yield f"{len(known.entries):,} open"
        for each in known.entries[:_SHOWN]:
            over = f"; {each.over}, its issue is not resolved yet: the next run tries" if each.over else ""
            yield f"  {each.level}  {each.title}, since {each.since_night}{over}"
        yield from _more(len(known.entries))


def _for(span: timedelta) -> str:
    """How long that is, in the unit that it has some of: ``35 min``, ``3.5 h``, ``12.0 days``."""
    minutes = max(span.total_seconds(), 0.0) / 60
    if minutes < 60:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 1440:.1f} days"


def _listed(alerts: tuple[KeptAlert, ...]) -> Iterator[str]:
    for each in alerts[:_SHOWN]:
        why = f": {each.why}" if each.why else ""
        yield f"  {_minute(each.since)}  {each.title}{why}"
    yield from _more(len(alerts))


def _more(amount: int) -> Iterator[str]:
    if amount > _SHOWN:
        yield f"  and {amount - _SHOWN:,} more"


def _row(alert: KeptAlert) -> dict[str, Any]:
    return {**asdict(alert), "since": alert.since.isoformat()}


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
