"""Which release of the subject a change goes with, in words for any report."""

from __future__ import annotations

from nightbench.report.charts.metric_nights import MetricNights

NIGHTS_BEFORE = 2
"""A change may be found a night or two after the release that it came with."""
_AGO = ("", "the night before", "two nights before")


def with_release(history: MetricNights, night: str) -> str:
    """What a sentence that ends with the night of a change goes on with, as plain text.

    ``, the first of release v2.4.1``; of a release that began up to two nights before it, the latest,
    ``; release v2.4.1 began the night before``; else nothing.

    Args:
        history: The nights of the metric that changed.
        night: The first of the new level.
    """
    place = history.place(night)
    if place is None:
        return ""
    began = {history.place(each.night): each.release for each in history.releases}
    for ago in range(NIGHTS_BEFORE + 1):
        if (release := began.get(place - ago)) is not None:
            return f"; release {release} began {_AGO[ago]}" if ago else f", the first of release {release}"
    return ""
