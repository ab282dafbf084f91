"""What was bad and is well again tonight: only what a night of the same kind has shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nightbench.alerts.epoch import Mark, epoch_of, flow_of, measured_alike, same_setup
from nightbench.alerts.failure import Failure
from nightbench.alerts.open_alert import OpenAlert
from nightbench.alerts.rollup import ROLL_UP
from nightbench.verdict.targets import LEAKED_ROWS
from nightbench.verdict.verdict import SuiteVerdict

WELL_AGAIN = "well again"
ACCEPTED = "accepted as the new normal"
NOT_MEASURED = "not measured like that any more"
STALE = timedelta(days=8)
"""A setup that comes up once a week has had its turn."""
_WELL = {"steady", "improved"}
"""States of a line that say so beyond doubt; a suspect, a noisy night or one without a baseline do not."""


@dataclass(frozen=True)
class Tonight:
    """What is known of tonight at its end.

    Attributes:
        night_id: Of it.
        environment: Of it.
        verdicts: One for each suite that was measured.
        failures: The steps that raised.
        marks: What people said of earlier nights.
    """

    night_id: str
    environment: str
    verdicts: Sequence[SuiteVerdict]
    failures: Sequence[Failure] = ()
    marks: Sequence[Mark] = ()


def recovered(known: Iterable[OpenAlert], night: Tonight) -> Iterator[tuple[OpenAlert, str]]:
    """The open alerts that are over, each with why. A roll-up is when nothing is open any more that only it told."""
    entries = [entry for entry in known if entry.environment == night.environment and not entry.over]
    over: list[OpenAlert] = []
    for entry in entries:
        if entry.last_night != night.night_id and (why := _why_over(entry, night)):
            over.append(entry)
            yield entry, why
    lasting = [entry for entry in entries if entry not in over and entry.kind != ROLL_UP and not entry.own]
    for entry in entries:
        if entry.kind == ROLL_UP and entry.last_night != night.night_id and not lasting:
            yield entry, WELL_AGAIN


def is_stale(entry: OpenAlert, night: Tonight, now: datetime) -> bool:
    """Whether nobody can say any more that it is bad: its plan, subject, host or flow is not measured now.

    It was not bad for more than a week, and tonight does not measure its setup: that was replaced, such as by
    another kernel. It says nothing about whether another setup of the same place is well.
    """
    return now - entry.last_at > STALE and not _measured(entry, night)


def _measured(entry: OpenAlert, night: Tonight) -> bool:
    if entry.kind in {"failed", "crashed"}:
        return entry.setup == flow_of(night.night_id)
    alike = measured_alike if entry.kind == "regression" else same_setup
    return any(_is_of(entry, each) and alike(each.measurement) == entry.setup for each in night.verdicts)


def _why_over(entry: OpenAlert, night: Tonight) -> str:
    if entry.kind in {"failed", "crashed"}:
        return WELL_AGAIN if _ran(entry, night) else ""
    verdict = next((each for each in night.verdicts if _is_of(entry, each)), None)
    if verdict is None or not verdict.trusted:
        return ""
    if entry.kind == "regression":
        return _of_regression(entry, verdict, night.marks)
    if entry.setup != same_setup(verdict.measurement):
        return ""
    match entry.kind:
        case "invalid":
            well = verdict.complete
        case "tenant_leak":
            well = verdict.whole and not verdict.leaked and verdict.value(LEAKED_ROWS) is not None
        case "target_missed":
            promises = [target.met for target in verdict.targets if target.metric == entry.metric]
            well = bool(promises) and all(promises)
        case _:
            well = False
    return WELL_AGAIN if well else ""


def _of_regression(entry: OpenAlert, verdict: SuiteVerdict, marks: Sequence[Mark]) -> str:
    lines = () if verdict.judged is None else verdict.judged.lines
    line = next((line for line in lines if line.metric == entry.metric), None)
    if line is None or line.state == "regression":
        return ""
    if epoch_of(marks, entry.suite, entry.tier, entry.metric) != entry.epoch:
        return ACCEPTED
    alike = entry.setup == measured_alike(verdict.measurement)
    return WELL_AGAIN if alike and line.state in _WELL else ""


def _ran(entry: OpenAlert, night: Tonight) -> bool:
    """Whether what failed or crashed before has given its result tonight."""
    if entry.setup != flow_of(night.night_id):
        return False
    if any(failure.tier is None for failure in night.failures):
        return False
    if entry.tier == "all":
        return bool(night.verdicts) and all(verdict.whole for verdict in night.verdicts)
    ran = [
        each for each in night.verdicts if _is_within(entry, each.measurement.tier, each.measurement.suite)
    ]
    failed = [each for each in night.failures if _is_within(entry, each.tier, each.suite or entry.suite)]
    return bool(ran) and not failed


def _is_within(entry: OpenAlert, tier: str | None, suite: str) -> bool:
    return entry.tier == tier and entry.suite in {"all", suite}


def _is_of(entry: OpenAlert, verdict: SuiteVerdict) -> bool:
    measurement = verdict.measurement
    return (measurement.tier, measurement.suite) == (entry.tier, entry.suite)
