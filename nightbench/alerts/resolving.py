"""The end of an alert: what is well again is written down, and its issue resolved or named for somebody who does it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from nightbench.alerts.alert_record import AlertRecord
from nightbench.alerts.issues_api import IssuesApi, IssuesError
from nightbench.alerts.open_alert import OpenAlert
from nightbench.alerts.recovery import NOT_MEASURED, Tonight, is_stale, recovered
from nightbench.alerts.state import OpenAlerts
from nightbench.errors import MeasurementError

MOST = 50
"""Issues that are resolved in one night; the rest by the next."""
_BAD_ELSEWHERE = (
    "{} is well again, and its issue left open: another plan, host or flow was bad too and was not well since"
)


@dataclass(frozen=True)
class Recovery:
    """What is over.

    Attributes:
        sentences: One for each that is over and settled, such as ``back: full websocket message.response_time.p95``.
        records: The same for the record of the night.
        problems: Why some could not be resolved; the next night tries again.
    """

    sentences: tuple[str, ...] = ()
    records: tuple[AlertRecord, ...] = ()
    problems: tuple[str, ...] = ()


def note_recoveries(open_alerts: OpenAlerts, night: Tonight) -> None:
    """Write down what is well again tonight, before anything is done about it.

    Raises:
        MeasurementError: when it cannot be written.
    """
    known = open_alerts.read()
    over = {entry.key: replace(entry, over=why) for entry, why in recovered(known.entries, night)}
    open_alerts.change(over, datetime.now(UTC))


def settle(
    open_alerts: OpenAlerts, night: Tonight, *, waiting: Collection[str], api: IssuesApi | None
) -> Recovery:
    """Resolve the issues of what is over, or say which ones are to be resolved by hand; settled is forgotten.

    An issue is left alone, and named, while another of its alerts is open, such as of another plan, and while the
    event that told of it has not arrived: both are looked at again by the next night. An alert whose setup is not
    measured any more (`is_stale`) ends with the one of the setup that took its place.

    Args:
        open_alerts: What is remembered.
        night: Tonight.
        waiting: Ids of the events that are still in the outbox.
        api: Of the server; None where there is no token of it.
    """
    now = datetime.now(UTC)
    known = [entry for entry in open_alerts.read().entries if entry.environment == night.environment]
    settled: dict[OpenAlert, str] = {}
    problems: dict[str, None] = {}
    ready: list[list[OpenAlert]] = []
    for over in _by_issue(entry for entry in known if entry.over):
        others = [entry for entry in known if not entry.over and entry.fingerprint == over[0].fingerprint]
        stale = [replace(entry, over=NOT_MEASURED) for entry in others if is_stale(entry, night, now)]
        if len(stale) < len(others) and any(entry.own for entry in (*others, *over)):
            problems[_BAD_ELSEWHERE.format(over[0].place)] = None
        else:
            ready.append(sorted([*stale, *over], key=lambda entry: entry.last_night))
    for group in ready[:MOST]:
        try:
            ended = _ended(group, waiting, api)
        except IssuesError as error:
            problems[str(error)] = None
        else:
            settled.update({entry: f"{_back(entry)}{ended}" for entry in group})
    try:
        open_alerts.change({entry.key: None for entry in settled}, now)
    except MeasurementError as error:
        problems[str(error)] = None
    records = tuple(_record(entry, note, night) for entry, note in settled.items())
    return Recovery(tuple(dict.fromkeys(settled.values())), records, tuple(problems))


def _by_issue(over: Iterable[OpenAlert]) -> list[list[OpenAlert]]:
    found: dict[tuple[str, ...], list[OpenAlert]] = {}
    for entry in over:
        found.setdefault(entry.fingerprint, []).append(entry)
    return list(found.values())


def _ended(group: Sequence[OpenAlert], waiting: Collection[str], api: IssuesApi | None) -> str:
    """How the issue of some alerts ended, oldest first.

    Raises:
        IssuesError: why it has not ended yet.
    """
    own = [entry for entry in group if entry.own]
    if not own:
        return ": only a roll-up told of it"
    if api is None:
        return "; resolve its issue by hand"
    if any(entry.event_id in waiting for entry in own):
        raise IssuesError("what is well again is resolved once its alert has arrived")
    try:
        return _resolved(own[-1], api)
    except IssuesError as error:
        raise IssuesError(f"{own[-1].place} is well again, and its issue not resolved: {error}") from error


def _resolved(entry: OpenAlert, api: IssuesApi) -> str:
    match api.resolve(entry).state:
        case "resolved":
            return ": resolved"
        case "newer":
            return ": its issue was told of by another night since; resolve it by hand"
        case _:
            return ": no open issue of it"


def _back(entry: OpenAlert) -> str:
    return f"back: {entry.place} ({entry.kind.replace('_', ' ')}, {entry.over})"


def _record(entry: OpenAlert, note: str, night: Tonight) -> AlertRecord:
    return AlertRecord(
        night_id=night.night_id,
        run_id=night.night_id,
        environment=entry.environment,
        kind=entry.kind,
        suite=entry.suite,
        tier=entry.tier,
        metric=entry.metric,
        level=entry.level,
        title=entry.title,
        decision="recovered",
        event_id=entry.event_id or None,
        at=datetime.now(UTC),
        note=note,
    )
