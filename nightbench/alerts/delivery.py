"""Delivering what waits in the outbox: by one process at a time, within a time, and every alert accounted for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from nightbench.alerts.delivery_report import DeliveryReport as DeliveryReport  # noqa: PLC0414  # what it gives
from nightbench.alerts.delivery_report import EventState
from nightbench.alerts.kept import id_of
from nightbench.alerts.outbox import PATIENCE, Outbox
from nightbench.alerts.outbox_lock import hold
from nightbench.alerts.outbox_state import OutboxState
from nightbench.alerts.posting import ANSWER_SECONDS, CONNECT_SECONDS, Poster
from nightbench.alerts.round import Limits, OnEvent, Round, left_alone
from nightbench.errors import ConfigurationError
from nightbench.files import reason

NO_DSN = "no Sentry DSN is set"
DROPPED = "given up: it waited too long, or too much waited"

_LIMITS = Limits()


def deliver(
    outbox: Outbox,
    dsn: str | None,
    *,
    connect_seconds: float = CONNECT_SECONDS,
    answer_seconds: float = ANSWER_SECONDS,
    limits: Limits = _LIMITS,
    on_event: OnEvent = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> DeliveryReport:
    """Post every pending alert, oldest first, and delete those that the server took.

    It never raises for what the server, the DSN or the disk does: an alert that cannot be delivered stays. What is
    then more or older than the outbox may hold is given up and counted.

    Args:
        outbox: Where they wait.
        dsn: Of the Sentry project; None for none.
        connect_seconds: See `Poster`.
        answer_seconds: See `Poster`.
        limits: How long all of it may take.
        on_event: Told of each alert that is through.
        wait: Sleeps for so many seconds.
    """
    state = OutboxState.read(outbox.state_file)
    if not outbox.pending() and not outbox.set_aside_ones() and state.dropped == state.told:
        return DeliveryReport()
    try:
        with hold(outbox.lock, patience=PATIENCE) as held:
            if held.ours:
                poster = partial(Poster, connect_seconds=connect_seconds, answer_seconds=answer_seconds)
                return _delivered(outbox, dsn, poster, partial(Round, limits=limits, wait=wait), on_event)
    except OSError as error:
        return all_wait(outbox, f"{outbox.folder} cannot be written to: {reason(error)}")
    other = f"process {held.other}" if held.other else "another process"
    return all_wait(outbox, f"{other} is delivering; it takes these along, or the next run does")


def _delivered(
    outbox: Outbox,
    dsn: str | None,
    poster_of: Callable[[str], Poster],
    round_of: Callable[[Outbox, Poster], Round],
    on_event: OnEvent,
) -> DeliveryReport:
    """Deliver from an outbox that we hold."""
    if dsn is None:
        return _settled(outbox, stopped=NO_DSN)
    try:
        poster = poster_of(dsn)
    except ConfigurationError as error:
        return _settled(outbox, stopped=str(error))
    until = OutboxState.read(outbox.state_file).pause(poster.project, datetime.now(UTC))
    if until is not None:
        return _settled(outbox, stopped=f"{poster.host} {left_alone(until)}")
    turn = round_of(outbox, poster)
    turn.post_all(on_event)
    return _settled(outbox, turn.states, turn.reasons, turn.stopped)


def _settled(
    outbox: Outbox,
    states: Iterable[EventState] = (),
    reasons: Mapping[str, str] = MappingProxyType({}),
    stopped: str = "",
) -> DeliveryReport:
    """Give up what is too much, and tell of all: what is through, what waits and why, what is given up."""
    untrimmed = ""
    try:
        outbox.trim(datetime.now(UTC))
    except OSError as error:
        untrimmed = f"{outbox.folder} holds more than it may: {reason(error)}"
    through = tuple(states)
    waiting = [
        EventState(id_of(path), "undelivered", reasons.get(path.name) or stopped) for path in outbox.pending()
    ]
    state = _counted(outbox, (*through, *waiting))
    dropped = [EventState(each, "dropped", DROPPED) for each in state.untold]
    report = DeliveryReport.of((*through, *waiting, *dropped), reasons=filter(None, [untrimmed]))
    return replace(report, dropped=state.dropped - state.told)


def _counted(outbox: Outbox, there: Iterable[EventState]) -> OutboxState:
    """What is remembered about what was given up, after which it counts as told."""
    known = OutboxState.read(outbox.state_file)
    ids = {each.event_id for each in there if each.state != "rejected"}  # such a one may be given up later
    state = known.without(ids | {id_of(each.path) for each in outbox.set_aside_ones()})
    if state.when_told() != known:
        with suppress(OSError):  # then it is told once more
            state.when_told().write(outbox.state_file)
    return state


def all_wait(outbox: Outbox, why: str) -> DeliveryReport:
    """The report when nothing is posted: what waits in the outbox, all for one reason."""
    return DeliveryReport.of(EventState(id_of(path), "undelivered", why) for path in outbox.pending())
