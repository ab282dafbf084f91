"""The alerts of one night on their way into the outbox: which are told one by one, and which are lines of a roll-up.

It is called several times a night. Whatever is known is on the disk after each call, so that a night that is killed
has told of it; when more comes that is more severe, what is less so moves into the roll-up, which is written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from nightbench.alerts.alert import Alert
from nightbench.alerts.alert_record import AlertRecord, Decision
from nightbench.alerts.attachment import Attachment
from nightbench.alerts.event import Run, event_of
from nightbench.alerts.open_alert import Key, OpenAlert
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.reminders import decided, remembered
from nightbench.alerts.rollup import roll_up, split
from nightbench.alerts.state import Known, OpenAlerts
from nightbench.errors import MeasurementError

Attach = Callable[[Alert], Sequence[Attachment]]
"""Makes what goes along with an event of its own, such as a chart; it may take a second."""


def nothing_along(_alert: Alert) -> Sequence[Attachment]:
    """Add nothing."""
    return ()


@dataclass
class _Said:
    """One alert of tonight.

    Attributes:
        alert, run: What it says and of what.
        before: What was remembered of it.
        decision: What it deserves.
        at: When that was decided.
        place: Which event tells it, if one does.
        path: The file of that event; it may have left since.
        event_id: Of that event, or of the last one that told it.
        bare: The event of its own as long as nothing was made that goes along with it.
        left: Whether the event has left the outbox, so that nothing can be changed any more.
        written: The last that was remembered of it tonight.
    """

    alert: Alert
    run: Run
    before: OpenAlert | None
    decision: Decision
    at: datetime
    place: Literal["none", "own", "roll-up"] = "none"
    path: Path | None = None
    event_id: str | None = None
    bare: Mapping[str, Any] | None = None
    left: bool = False
    written: tuple[Decision, str | None] | None = None

    @property
    def shown(self) -> Decision:
        return "held_back" if self.place == "roll-up" else self.decision

    @property
    def changed(self) -> bool:
        """Whether there is something to remember of it: what is in no event is not told."""
        known = self.decision == "known"
        return (known or self.place != "none") and self.written != (self.shown, self.event_id)


@dataclass(frozen=True)
class _RollUp:
    alert: Alert
    run: Run
    path: Path
    event_id: str
    keys: frozenset[Key]


class Telling:
    """What one night tells.

    Args:
        outbox: Where to.
        open_alerts: What was told before.
        most: Alerts that are told one by one.
        reminder_nights: After how many nights a regression is told again.
        clock: The time, UTC.

    Attributes:
        problem: Why it could not be read or written down what was told before; empty when all is well.
    """

    def __init__(
        self,
        outbox: Outbox,
        open_alerts: OpenAlerts,
        *,
        most: int,
        reminder_nights: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.problem = ""
        self._outbox = outbox
        self._open = open_alerts
        self._most = most
        self._reminder_nights = reminder_nights
        self._clock = clock
        self._known = Known()
        self._said: dict[Key, _Said] = {}
        self._roll_up: _RollUp | None = None

    @property
    def records(self) -> tuple[AlertRecord, ...]:
        """One for each decision, in the order of finding."""
        return tuple(_record(said) for said in tuple(self._said.values()))

    def find(self, alerts: Iterable[tuple[Alert, Run]]) -> None:
        """Decide on what is new; an alert that was found before is not looked at again."""
        new = {_key(alert): (alert, run) for alert, run in alerts if _key(alert) not in self._said}
        if not new:
            return
        self._known = self._open.read()
        self.problem = self._known.problem or self.problem
        for key, (alert, run) in new.items():
            before = self._known.get(alert.key)
            decision = decided(alert, before, run.night_id, self._reminder_nights)
            self._said[key] = _Said(alert, run, before, decision, self._clock())

    def put(self, attach: Attach = nothing_along) -> int:
        """Put into the outbox what is not there yet; return how many alerts that were.

        What goes along with them is made when all are on the disk, and put beside.

        Raises:
            MeasurementError: when some could not be put; the next call tries those again.
        """
        self._see_what_left()
        untold = {key for key, said in self._said.items() if said.place == "none"}
        free = [(key, said) for key, said in self._said.items() if said.decision != "known" and not said.left]
        alone = sum(said.left and said.place == "own" for said in self._said.values())
        first, rest = split([said.alert for _, said in free], max(self._most - alone, 0))
        lost: list[str] = []
        for place in first:
            self._alone(free[place][1], lost)
        self._together(dict(free[place] for place in rest), lost)
        self._remember()
        for said in self._said.values():
            self._along(said, attach)
        if lost:
            raise MeasurementError("; ".join(lost))
        return sum(self._said[key].place != "none" for key in untold)

    def post_untold(self, post: Callable[[Mapping[str, Any]], str]) -> list[str]:
        """Tell past the outbox what could not be put there; return why some could not be told so either.

        Args:
            post: Posts an event; gives why that failed, or an empty text.
        """
        lost: list[str] = []
        for said in self._said.values():
            if said.place == "none" and said.decision != "known":
                event = event_of(said.alert, said.run, self._clock(), said.decision)
                if why := post(event):
                    lost.append(why)
                else:
                    said.place, said.event_id, said.left = "own", str(event["event_id"]), True
        self._remember()
        return lost

    def _see_what_left(self) -> None:
        """What somebody has delivered can be changed no more; what comes now is listed by another roll-up."""
        for said in self._said.values():
            said.left = said.left or (said.path is not None and not said.path.exists())
        if self._roll_up is not None and not self._roll_up.path.exists():
            self._roll_up = None

    def _alone(self, said: _Said, lost: list[str]) -> None:
        """Put an alert as an event of its own, unless it is there."""
        if said.place == "own":
            return
        event = event_of(said.alert, said.run, self._clock(), said.decision)
        try:
            said.path = self._outbox.put(event, ())
        except MeasurementError as error:
            lost.append(str(error))
            return
        said.place, said.event_id, said.bare = "own", str(event["event_id"]), event

    def _along(self, said: _Said, attach: Attach) -> None:
        """Put what goes along beside an event that still waits."""
        event, said.bare = said.bare, None
        if event is None or said.place != "own" or said.path is None:
            return
        if attachments := attach(said.alert):
            self._outbox.add(said.path, event, attachments)

    def _together(self, rest: dict[Key, _Said], lost: list[str]) -> None:
        """List what is too much in the roll-up of the night. What stands for it elsewhere is withdrawn after that."""
        before = self._roll_up
        if frozenset(rest) == (before.keys if before else frozenset()):
            return
        try:
            self._roll_up = self._listed(rest)
        except MeasurementError as error:
            lost.append(str(error))
            return
        if before is not None:
            self._withdraw(before.path, lost)
        for said in rest.values():
            self._move(said, lost)

    def _listed(self, rest: dict[Key, _Said]) -> _RollUp | None:
        if not rest:
            return None
        alert, run = roll_up([said.alert for said in rest.values()]), next(iter(rest.values())).run
        event = event_of(alert, run, self._clock())
        path = self._outbox.put(event, ())
        return _RollUp(alert, run, path, str(event["event_id"]), frozenset(rest))

    def _move(self, said: _Said, lost: list[str]) -> None:
        """From an event of its own, if it has one that still waits, into the roll-up."""
        if said.place == "own" and said.path is not None and not self._withdraw(said.path, lost):
            said.left = True
        elif self._roll_up is not None:
            said.place, said.path, said.event_id = "roll-up", self._roll_up.path, self._roll_up.event_id

    def _withdraw(self, path: Path, lost: list[str]) -> bool:
        """Whether it was still there; what cannot be removed is told as it is."""
        try:
            return self._outbox.withdraw(path)
        except MeasurementError as error:
            lost.append(str(error))
            return False

    def _remember(self) -> None:
        """Write down what is in the outbox, and nothing of what is not."""
        changed = [said for said in self._said.values() if said.changed]
        now = self._clock()
        changes: dict[Key, OpenAlert | None] = {}
        for said in changed:
            entry = remembered(
                said.alert,
                said.before,
                said.shown,
                night_id=said.run.night_id,
                event_id=said.event_id,
                now=now,
            )
            changes[entry.key] = entry
            said.event_id = said.event_id or entry.event_id or None
        if self._roll_up is not None:
            alert, known = self._roll_up.alert, self._known.get(self._roll_up.alert.key)
            night_id, event_id = self._roll_up.run.night_id, self._roll_up.event_id
            changes[alert.key] = remembered(
                alert, known, "told", night_id=night_id, event_id=event_id, now=now
            )
        if not changed:
            return
        try:
            self._open.change(changes, now)
        except MeasurementError as error:
            self.problem = str(error)
            return
        for said in changed:
            said.written = (said.shown, said.event_id)


def _key(alert: Alert) -> Key:
    """What is told once a night; each failure of a place is one of its own, by its reason."""
    reason = alert.text if alert.kind in {"failed", "crashed"} else ""
    return (*alert.key, reason)


def _record(said: _Said) -> AlertRecord:
    alert = said.alert
    return AlertRecord(
        night_id=said.run.night_id,
        run_id=said.run.run_id,
        environment=alert.environment,
        kind=alert.kind,
        suite=alert.suite,
        tier=alert.tier,
        metric=alert.metric,
        level=alert.level,
        title=alert.title,
        decision=said.shown,
        event_id=said.event_id,
        at=said.at,
    )
