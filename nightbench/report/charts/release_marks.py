"""Which releases of a subject are drawn in a chart: there may be one a night, and room for a dozen."""

from __future__ import annotations

from nightbench.report.charts.metric_nights import MetricNights
from nightbench.report.charts.theme import WIDTH

MOST_MARKS = 12
NEAR = 7
"""Nights from a change to either side; farther away, the newest releases say more."""
_LINE = 14
"""Points of the plot's width that the label of a mark takes, which stands upright."""
_LONGEST = 24
"""Characters of a label; the plot is not higher."""


def release_marks(history: MetricNights, *, most: int = MOST_MARKS) -> list[tuple[int, str]]:
    """The places of the nights and the releases that are drawn, oldest first.

    Those nearest to a lasting change are chosen first, then the newest. One is left out whose label would lie on that of another, of a change or of an epoch; what begins with the same
    night as these shares their line. The oldest night of the chart has no mark, as nothing is before it.

    Args:
        history: The nights that the chart shows.
        most: So many at most.
    """
    apart = -(-_LINE * len(history.nights) // WIDTH)
    places = {each.night: place for place, each in enumerate(history.nights)}
    changed = [places[each.night] for each in history.changes if each.night in places]
    taken = {*changed, *(places[night] for night in history.epochs if night in places)}
    began = {place: each.release for each in history.releases if (place := places.get(each.night))}

    def urgency(place: int) -> tuple[int, int]:
        near = (abs(place - change) for change in changed)
        return min((ago for ago in near if ago <= NEAR), default=NEAR + 1), -place

    chosen: list[int] = []
    for place in sorted(began, key=urgency):
        if len(chosen) < most and (place in taken or all(abs(place - other) >= apart for other in taken)):
            chosen.append(place)
            taken.add(place)
    return [(place, began[place]) for place in sorted(chosen)]


def release_label(release: str) -> str:
    """``v2.4.1``; what begins with a digit says that it is a release, and what is long has its beginning."""
    shown = f"release {release}" if release[:1].isdigit() else release
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
