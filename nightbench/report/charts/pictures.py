"""Several charts as drawings for one page, in as many bytes as the page may have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nightbench.report.charts.drawing import svgs
from nightbench.report.charts.small import small

_BASE64 = 4 / 3


def pictures(
    specs: Iterable[Mapping[str, Any]], *, most_bytes: int, patience: float
) -> tuple[str | None, ...]:
    """An SVG of each of `specs`; None for one that cannot be drawn, or past `most_bytes` of those before it.

    Args:
        specs: The most important first; those of an iterator are made while what draws starts.
        most_bytes: Of all drawings, as Base64.
        patience: Seconds that the drawing may take.

    Raises:
        UndrawnError: when nothing could be drawn.
    """
    drawn: list[str | None] = []
    left = most_bytes / _BASE64
    for each in svgs(specs, patience=patience):
        picture = None if each is None else small(each)
        size = 0 if picture is None else len(picture.encode())
        drawn.append(picture if size <= left else None)
        left -= size if size <= left else 0.0
    return tuple(drawn)
