"""Whether what is bad tonight is told tonight: a regression once, then now and then while it lasts; all else always."""

from __future__ import annotations

from datetime import datetime

from nightbench.alerts.alert import Alert
from nightbench.alerts.alert_record import Decision
from nightbench.alerts.open_alert import OpenAlert


def decided(alert: Alert, known: OpenAlert | None, night_id: str, reminder_nights: int) -> Decision:
    """What becomes of an alert of tonight.

    Nights are those on which the metric was judged and still worse, on demand or not; repetitions of a suspect are
    of the same night, and so is a night that is judged twice. What was well again in between, is of another epoch,
    or was told by an event that was given up, is new.

    Args:
        alert: Of tonight.
        known: What is remembered under its key; None when nothing is.
        night_id: Of tonight.
        reminder_nights: After how many nights a regression is told again.
    """
    if alert.kind != "regression" or known is None or known.over or known.epoch != alert.epoch:
        return "told"
    if not known.event_id:
        return "told"
    if known.last_night == night_id:
        return "known"
    return "reminder" if known.nights + 1 >= reminder_nights else "known"


def remembered(
    alert: Alert,
    known: OpenAlert | None,
    decision: Decision,
    *,
    night_id: str,
    event_id: str | None,
    now: datetime,
) -> OpenAlert:
    """What is remembered of an alert after its decision.

    Args:
        alert: Of tonight.
        known: What was remembered before.
        decision: As `decided` has it, or ``held_back`` when it is a line of the roll-up.
        night_id: Of tonight.
        event_id: Of the event that tells of it tonight; None when none does.
        now: UTC.
    """
    has_issue = known is not None and known.own
    if known is not None and has_issue and decision == "held_back":
        event_id = known.event_id or event_id  # its issue is found by it, and the roll-up has another
    if known is not None and (known.over or known.epoch != alert.epoch):
        known = None
    told = decision != "known" or known is None
    again = known is not None and known.last_night == night_id
    nights = 0 if told else known.nights + (0 if again else 1)  # type: ignore[union-attr]  # told where there is none
    own = decision in {"told", "reminder"} or has_issue
    return OpenAlert(
        kind=alert.kind,
        suite=alert.suite,
        tier=alert.tier,
        metric=alert.metric,
        environment=alert.environment,
        setup=alert.setup,
        epoch=alert.epoch,
        level=alert.level,
        title=alert.title,
        since_night=night_id if known is None else known.since_night,
        last_night=night_id,
        last_at=now,
        nights=nights,
        event_id=event_id or ("" if known is None else known.event_id),
        own=own,
    )
