"""The tables of the page, as data: what each cell says, and what it is sorted by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nightbench.history.record import clean_text
from nightbench.visible import visible


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: Plain text; scrubbed.
        sort: What it is sorted by, a number or a text; its text where empty.
        link: The anchor that it leads to; nowhere where empty.
        badge: The state that its colour shows; none where empty.
    """

    text: str
    sort: str = ""
    link: str = ""
    badge: str = ""


@dataclass(frozen=True)
class Column:
    """The head of a column; numbers stand to the right."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Grid:
    """A table that sorts and filters.

    Attributes:
        key: Its anchor.
        caption: What it is.
        head: Its columns; the first names the row.
        rows: A cell a column.
    """

    key: str
    caption: str
    head: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def head(*titles: str) -> tuple[Column, ...]:
    """Columns by their titles; of one that begins with ``#`` the cells are numbers."""
    return tuple(Column(title.removeprefix("#"), title.startswith("#")) for title in titles)


def said(words: str, *, link: str = "", badge: str = "", sort: str = "") -> Cell:
    """A text of whoever wrote it, scrubbed and without control characters."""
    return Cell(visible(clean_text(words)), link=link, badge=badge, sort=sort)


def figure(shown: str, value: float | None) -> Cell:
    """A number as it is shown, which sorts by its value; one that is missing sorts last."""
    known = value is not None and math.isfinite(value)
    return Cell(shown, sort=repr(value) if known else "missing")


def whole(count: int) -> Cell:
    """A count."""
    return figure(f"{count:,}", count)


def grid(key: str, caption: str, titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Grid:
    """A table; see `head` for its titles."""
    return Grid(key, caption, head(*titles), tuple(tuple(row) for row in rows))
