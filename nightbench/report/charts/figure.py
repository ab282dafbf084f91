"""A chart with all that stands for it where it is not seen: words, and the same as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """Cells of plain text, scrubbed.

    Attributes:
        head: A title a column; the first column names the row.
        rows: A text a column.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """One chart.

    Attributes:
        key: Names it among those of its suite: small letters, digits and hyphens.
        title: Plain text, scrubbed; what it is about.
        alt: Plain text, scrubbed: in one or two sentences what an eye would see.
        spec: Vega-Lite with its data, whose tooltips tell the values; see `nightbench.report.charts.theme.spec`.
        table: The same values.
    """

    key: str
    title: str
    alt: str
    spec: Mapping[str, Any]
    table: Table
