"""What became of the alerts in the outbox: of each, and of all together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["delivered", "undelivered", "rejected", "dropped"]


@dataclass(frozen=True)
class EventState:
    """What became of one alert.

    Attributes:
        event_id: Of its event.
        state: ``delivered``: the server said that it has it; ``undelivered``: it waits for the next run;
            ``rejected``: it is set aside, since the server will not take it; ``dropped``: it was given up.
        reason: Why it was not delivered, or not whole; one sentence without secrets, else empty.
    """

    event_id: str
    state: State
    reason: str = ""


@dataclass(frozen=True)
class DeliveryReport:
    """What became of the alerts in the outbox.

    Attributes:
        delivered: Taken by the server, which said so, and gone from the outbox.
        undelivered: Still in the outbox; the next run tries again.
        rejected: Set aside in ``rejected/``: the server will never take them.
        dropped: Given up since the last report, because too much or too old.
        reasons: Why some were not delivered, one sentence each.
        recovered: What is well again, one sentence each.
        events: What became of each alert that was waiting.
    """

    delivered: int = 0
    undelivered: int = 0
    rejected: int = 0
    dropped: int = 0
    reasons: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    events: tuple[EventState, ...] = ()

    @property
    def given_up(self) -> tuple[str, ...]:
        """The event ids of what was dropped."""
        return tuple(each.event_id for each in self.events if each.state == "dropped")

    @classmethod
    def of(cls, events: Iterable[EventState], *, reasons: Iterable[str] = ()) -> DeliveryReport:
        """The report on some events; `reasons` are about all of them."""
        states = tuple(events)

        def amount(state: State) -> int:
            return sum(each.state == state for each in states)

        own = (each.reason for each in states if each.reason)
        return cls(
            delivered=amount("delivered"),
            undelivered=amount("undelivered"),
            rejected=amount("rejected"),
            dropped=amount("dropped"),
            reasons=tuple(dict.fromkeys((*reasons, *own))),
            events=states,
        )
