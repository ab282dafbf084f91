"""At most so many alerts a night, one by one; the rest is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from nightbench.alerts.alert import Alert, Kind, Level
from nightbench.alerts.wording import MOST_MESSAGE, fitted
from nightbench.history.record import clean_text

MOST_LISTED = 100
"""Lines of a roll-up, or as many as fit into its message; of the others, how many there are."""
_AROUND = 400  # characters of the message beside the list and the links
ROLL_UP: Kind = "roll_up"
_SEVERITY: dict[str, int] = {kind: place for place, kind in enumerate(get_args(Kind))}


def most_severe_first(alerts: Sequence[Alert]) -> list[int]:
    """The places of `alerts` by severity of their kind; within a kind in the order that they are in."""
    return sorted(range(len(alerts)), key=lambda place: _SEVERITY[alerts[place].kind])


def split(alerts: Sequence[Alert], most: int) -> tuple[list[int], list[int]]:
    """The places of those that are told one by one, at most `most`, and of the rest; the most severe first."""
    order = most_severe_first(alerts)
    return order[:most], order[most:]


def roll_up(rest: Sequence[Alert]) -> Alert:
    """The alert that lists the others of a night, the most severe first; `rest` is not empty and of one environment."""
    first = rest[0]
    levels: list[Level] = [alert.level for alert in rest]
    lines = [f"{alert.level}: {_one_line(alert.title)}{_beside(alert)}" for alert in rest[:MOST_LISTED]]
    links = sum(len(f"{name}: {url}\n") for name, url in first.links.items())
    room = max(MOST_MESSAGE - _AROUND - links, _AROUND)
    return Alert(
        kind=ROLL_UP,
        suite="all",
        tier="all",
        metric="alerts",
        environment=first.environment,
        level="error" if "error" in levels else "warning",
        title="more alerts than are told one by one",
        text=fitted(lines, len(rest), room),
        context={
            "alerts": len(rest),
            "kinds": {kind: amount for kind in get_args(Kind) if (amount := _amount(rest, kind))},
        },
        links=first.links,
    )


def _one_line(text: str) -> str:
    return " ".join(clean_text(text).split())


def _beside(alert: Alert) -> str:
    line, *_ = alert.text.splitlines() or [""]
    return f" ({_one_line(line.removeprefix('- '))[:120]})" if line else ""


def _amount(alerts: Sequence[Alert], kind: str) -> int:
    return sum(alert.kind == kind for alert in alerts)
