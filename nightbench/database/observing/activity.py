"""What connections were seen doing at single moments, added up: where the time of the load goes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ActivityRow = tuple[bool | None, bool | None, str | None, str | None, str | None, int]
"""Whether they are of a load, whether in this database, state, type and name of the wait event, how many."""
_IN_TRANSACTION = ("idle in transaction", "idle in transaction (aborted)")


@dataclass
class Activity:
    """What the connections of the load were seen doing, added up. Pure.

    Attributes:
        glances: How often.
        hidden: How many connections of the load did not show what they do.
    """

    glances: int = 0
    waits: Counter[str] = field(default_factory=Counter)
    most: dict[str, float] = field(default_factory=dict)
    hidden: int = 0

    def see(self, rows: Sequence[ActivityRow]) -> None:
        """One glance at pg_stat_activity, without the observer."""
        self.glances += 1
        now: Counter[str] = Counter(
            connections_most=sum(row[-1] for row in rows),
            **dict.fromkeys(
                ("load_connections_most", "active_most", "idle_in_transaction_most", "blocked_most"), 0
            ),
            others_active_most=0,
        )
        for of_load, here, state, kind, event, count in rows:
            if not (of_load and here):  # a run in another database of the server is none of this one
                now["others_active_most"] += count if here and state == "active" else 0
                continue
            now["load_connections_most"] += count
            if state in (None, "disabled"):
                self.hidden += count
                continue
            now["active_most"] += count if state == "active" else 0
            now["idle_in_transaction_most"] += count if state in _IN_TRANSACTION else 0
            now["blocked_most"] += count if kind == "Lock" else 0
            self.waits[_doing(state, kind, event)] += count
        self.peak(now)

    def peak(self, values: Mapping[str, float]) -> None:
        """Figures of which the most counts."""
        for name, value in values.items():
            self.most[name] = max(self.most.get(name, value), value)


def _doing(state: str | None, kind: str | None, event: str | None) -> str:
    if state in _IN_TRANSACTION:
        return "idle in transaction"
    if state != "active":
        return "idle"
    return "CPU" if kind is None else f"{kind}:{event}"
