"""Several charts as drawings for one page, in as many bytes as the page may have."""

from __future__ import annotations

from collections.abc import Sequence

from nightbench.report.charts.drawing import svgs
from nightbench.report.charts.metric_nights import MOST_NIGHTS, MetricNights
from nightbench.report.charts.small import small
from nightbench.report.charts.spec import spec_of

_BASE64 = 4 / 3


def pictures(
    histories: Sequence[MetricNights], *, most_bytes: int, most_nights: int = MOST_NIGHTS, patience: float
) -> tuple[str | None, ...]:
    """An SVG of each of `histories`; None for one that cannot be drawn, or past `most_bytes` of those before it.

    Args:
        histories: The most important first.
        most_bytes: Of all drawings, as Base64.
        most_nights: That one shows, the last ones.
        patience: Seconds that the drawing may take.

    Raises:
        UndrawnError: when nothing could be drawn.
    """
    if not histories:
        return ()
    specs = (spec_of(history, most=most_nights) for history in histories)
    drawn: list[str | None] = []
    left = most_bytes / _BASE64
    for each in svgs(specs, patience=patience):
        picture = None if each is None else small(each)
        size = 0 if picture is None else len(picture.encode())
        drawn.append(picture if size <= left else None)
        left -= size if size <= left else 0.0
    return tuple(drawn)
