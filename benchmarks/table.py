"""Goal, figure, met or not: what a benchmark found, for people and as JSON."""

from __future__ import annotations

import json
import operator
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Compare = Literal[">=", "<=", "<", "=="]
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
}


@dataclass(frozen=True)
class Goal:
    """What a figure has to be."""

    op: Compare
    limit: float

    def __str__(self) -> str:
        return f"{self.op} {_short(self.limit)}"


@dataclass(frozen=True)
class Figure:
    """One number of one benchmark.

    Attributes:
        value: None when it could not be measured, which meets no goal.
        goal: None where the number only informs.
        spread: Its smallest and largest value over the rounds.
    """

    what: str
    value: float | None
    unit: str = ""
    goal: Goal | None = None
    spread: tuple[float, float] | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return self.value is not None and _COMPARE[self.goal.op](self.value, self.goal.limit)


def over_rounds(
    what: str, values: Sequence[float], unit: str = "", goal: Goal | None = None, note: str = ""
) -> Figure:
    """The median of a figure over its rounds, with its spread."""
    return Figure(what, statistics.median(values), unit, goal, (min(values), max(values)), note)


def print_figures(console: Console, title: str, figures: Sequence[Figure]) -> None:
    """Print the figures of one benchmark as a table."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE)
    table.add_column("figure")
    for column in ("value", "spread", "goal"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("")
    for figure in figures:
        value = "missing" if figure.value is None else f"{_short(figure.value)} {figure.unit}".rstrip()
        spread = "" if figure.spread is None else "–".join(_short(end) for end in figure.spread)
        met = {None: "", True: "met", False: "[red]NOT MET[/red]"}[figure.met]
        what = escape(figure.what) + (f" [dim]({escape(figure.note)})[/dim]" if figure.note else "")
        table.add_row(what, value, spread, "" if figure.goal is None else str(figure.goal), met)
    console.print(table)


def write_figures(path: Path, figures: Sequence[Figure], about: dict[str, Any]) -> None:
    """Write the figures of one benchmark as one JSON document, with what it was measured on and by."""
    rows = [
        {
            "what": figure.what,
            "value": figure.value,
            "unit": figure.unit,
            "goal": None if figure.goal is None else str(figure.goal),
            "met": figure.met,
            "spread": figure.spread,
            "note": figure.note,
        }
        for figure in figures
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**about, "figures": rows}, indent=1, ensure_ascii=False), encoding="utf-8")


def _short(number: float) -> str:
    """Three digits that tell, whole above 100."""
    return f"{number:,.0f}" if abs(number) >= 100 or number == int(number) else f"{number:.3g}"
