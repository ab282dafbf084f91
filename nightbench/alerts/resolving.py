"""The end of an alert: what is well again is written down, and its issue resolved or named for somebody who does it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from nightbench.alerts.alert_record import AlertRecord
from nightbench.alerts.issues_api import IssuesApi, IssuesError
from nightbench.alerts.open_alert import Key, OpenAlert
from nightbench.alerts.recovery import Night, recovered
from nightbench.alerts.state import OpenAlerts
from nightbench.errors import MeasurementError

MOST = 50
"""Issues that are resolved in one night; the rest by the next."""


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


def note_recoveries(open_alerts: OpenAlerts, night: Night) -> None:
    """Write down what is well again tonight, before anything is done about it.

    Raises:
        MeasurementError: when it cannot be written.
    """
    known = open_alerts.read()
    over = {entry.key: replace(entry, over=why) for entry, why in recovered(known.entries, night)}
    open_alerts.change(over, datetime.now(UTC))


def settle(
    open_alerts: OpenAlerts, night: Night, *, waiting: Collection[str], api: IssuesApi | None
) -> Recovery:
    """Resolve the issues of what is over, or say which ones are to be resolved by hand; settled is forgotten.

    An issue is left alone while another of its alerts is open, such as of another plan, and while the event that
    told of it has not arrived: both are looked at again by the next night.

    Args:
        open_alerts: What is remembered.
        night: Tonight.
        waiting: Ids of the events that are still in the outbox.
        api: Of the server; None where there is no token of it.
    """
    known = open_alerts.read().entries
    over = [entry for entry in known if entry.over and entry.environment == night.environment]
    bad = {entry.fingerprint for entry in known if not entry.over}
    settled: dict[Key, str] = {}
    problems: dict[str, None] = {}
    for entry in over[:MOST]:
        if entry.fingerprint in bad:
            settled[entry.key] = ""
        elif not entry.own:
            settled[entry.key] = f"{_back(entry)}: only a roll-up told of it"
        elif api is None:
            settled[entry.key] = f"{_back(entry)}; resolve its issue by hand"
        elif entry.event_id in waiting:
            problems["what is well again is resolved once its alert has arrived"] = None
        else:
            try:
                settled[entry.key] = _resolved(entry, api)
            except IssuesError as error:
                problems[f"{entry.place} is well again, and its issue not resolved: {error}"] = None
    try:
        open_alerts.change(dict.fromkeys(settled), datetime.now(UTC))
    except MeasurementError as error:
        problems[str(error)] = None
    said = [(entry, settled[entry.key]) for entry in over if settled.get(entry.key)]
    return Recovery(tuple(text for _, text in said), tuple(_records(said, night)), tuple(problems))


def _resolved(entry: OpenAlert, api: IssuesApi) -> str:
    match api.resolve(entry).state:
        case "resolved":
            return f"{_back(entry)}: resolved"
        case "newer":
            return f"{_back(entry)}: its issue was told of by another night since; resolve it by hand"
        case _:
            return f"{_back(entry)}: no open issue of it"


def _back(entry: OpenAlert) -> str:
    return f"back: {entry.place} ({entry.kind.replace('_', ' ')}, {entry.over})"


def _records(said: Iterable[tuple[OpenAlert, str]], night: Night) -> Iterable[AlertRecord]:
    for entry, note in said:
        yield AlertRecord(
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
