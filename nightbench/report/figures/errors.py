"""What went wrong in a run: outcomes that are not well, and errors by class, as bars."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt

from nightbench.history.runs import StoredRun
from nightbench.report.charts import theme
from nightbench.report.charts.figure import Figure, Table
from nightbench.report.charts.theme import INK, ORANGE, PALE, VERMILION, WIDTH, text
from nightbench.report.figures.words import title_of
from nightbench.report.grouping import part_of, spoken
from nightbench.report.layout import count, percent

MOST_BARS = 24
"""The most frequent ones; the table says how many others there were."""
_BAR = 22
"""Points of height that one takes."""
_LABEL = 180
"""Points of width that what it is called may take."""
_LARGEST = 2**53
"""A count past it is none: JSON's infinity is among them."""
_FEW = 5
"""Ticks of the axis of counts; of fewer than these each whole number is one."""

_OUTCOME, _CLASS, _BESIDE = "outcome", "error", "beside the operations"
_LOOKS = {_OUTCOME: ORANGE, _CLASS: VERMILION, _BESIDE: PALE}
_BAD = ("failed", "timed_out", "skipped", "in_flight")
_DETAILS = {
    "lost": "lost connection",
    "stray": "stray message",
    "leaks": "leaked by probe",
    "failed_probes": "failed probe",
    "warmup_errors": "in the warm-up",
}
"""What the details of a measurement count by class, beside the accounts of operations."""


@dataclass(frozen=True)
class _Bar:
    """How often something came; `due` of how many, None where that is not known."""

    kind: str
    what: str
    name: str
    amount: int
    due: int | None

    @property
    def label(self) -> str:
        return text(f"{self.what}: {self.name}")

    @property
    def share(self) -> str:
        return "–" if not self.due else percent(self.amount / self.due)


def errors(run: StoredRun) -> Figure | None:
    """The bars of what went wrong; None of a run in which nothing did."""
    found = [*_of_operations(run), *_of_details(run)]
    if not found:
        return None
    order = list(_LOOKS)
    found.sort(key=lambda bar: (order.index(bar.kind), -bar.amount, bar.label))
    shown = found[:MOST_BARS]
    title = title_of(run, "Errors by class")
    return Figure(
        key="errors",
        title=title,
        alt=_in_words(found),
        spec=theme.spec(_chart(title, shown, len(found) - len(shown)), {"errors": _rows(shown)}),
        table=Table(
            ("what", "kind", "count", "share of scheduled"),
            tuple((bar.label, bar.kind, count(bar.amount), bar.share) for bar in found),
        ),
    )


def _of_operations(run: StoredRun) -> list[_Bar]:
    """Of whole operations: what their parts count is in them."""
    found: list[_Bar] = []
    for operation, account in _mappings(run.row.get("operations")).items():
        if part_of(operation) is not None:
            continue
        due = _amount(account.get("scheduled"))
        outcomes = [(_OUTCOME, spoken(name), _amount(account.get(name))) for name in _BAD]
        classes = [(_CLASS, name, _amount(n)) for name, n in _members(account.get("errors")).items()]
        found += [_Bar(kind, operation, name, n, due) for kind, name, n in (*outcomes, *classes) if n]
    return found


def _of_details(run: StoredRun) -> list[_Bar]:
    details = _members(run.row.get("details"))
    return [
        _Bar(_BESIDE, what, name, _amount(amount), None)
        for key, what in _DETAILS.items()
        for name, amount in _members(details.get(key)).items()
        if _amount(amount)
    ]


def _rows(bars: list[_Bar]) -> list[dict[str, Any]]:
    return [
        {
            "place": place,
            "label": bar.label,
            "kind": bar.kind,
            "n": bar.amount,
            "shown": count(bar.amount) if bar.due is None else f"{count(bar.amount)} ({bar.share})",
            "share": bar.share,
        }
        for place, bar in enumerate(bars)
    ]


def _in_words(bars: list[_Bar]) -> str:
    said = ", ".join(
        f"{bar.label} {count(bar.amount)}" + (f" ({bar.share})" if bar.due else "") for bar in bars[:5]
    )
    more = f", and {count(len(bars) - 5)} more" if len(bars) > 5 else ""
    return f"What went wrong: {said}{more}."


def _chart(title: str, bars: list[_Bar], hidden: int) -> theme.Layered:
    kinds = [kind for kind in _LOOKS if any(bar.kind == kind for bar in bars)]
    labels = json.dumps([bar.label for bar in bars])
    # by its place, since two may be called the same
    y = alt.Y(
        "place:O",
        title=None,
        axis=alt.Axis(labelLimit=_LABEL, ticks=False, domain=False, labelExpr=f"{labels}[datum.value]"),
    )
    base = alt.Chart(alt.NamedData("errors")).encode(
        y=y,
        tooltip=[
            alt.Tooltip("label:N", title="what"),
            alt.Tooltip("kind:N", title="kind"),
            alt.Tooltip("n:Q", title="count", format=",d"),
            alt.Tooltip("share:N", title="share of scheduled"),
        ],
    )
    most = max(bar.amount for bar in bars)
    ticks = list(range(most + 1)) if most < _FEW else alt.Undefined
    x = alt.X(
        "n:Q",
        title="count",
        scale=alt.Scale(domain=[0, 1.35 * most], nice=False),
        axis=alt.Axis(values=ticks, tickCount=_FEW, format=",d"),
    )
    colours = alt.Scale(domain=kinds, range=[_LOOKS[kind] for kind in kinds])
    sentences = [f"the {MOST_BARS} most frequent; {count(hidden)} more are in the table" if hidden else ""]
    return alt.layer(
        base.mark_bar().encode(x=x, color=alt.Color("kind:N", scale=colours)),
        base.mark_text(align="left", dx=4, fontSize=11, color=INK).encode(
            x=alt.X("n:Q"), text=alt.Text("shown:N")
        ),
        width=WIDTH,
        height=_BAR * max(len(bars), 2),
        title=theme.title(title, sentences),
    )


def _mappings(value: Any) -> dict[str, Mapping[str, Any]]:
    return {name: each for name, each in _members(value).items() if isinstance(each, Mapping)}


def _members(value: Any) -> dict[str, Any]:
    """A JSON object as stored; nothing of what is none."""
    return {str(name): each for name, each in value.items()} if isinstance(value, Mapping) else {}


def _amount(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 < value < _LARGEST else 0
