"""The block of the summary that holds tonight against earlier nights: what got worse comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from rich.cells import cell_len

from nightbench.history.record import clean_text
from nightbench.report.change_lines import print_changes
from nightbench.report.layout import (
    BAD,
    DIM,
    GAP,
    GOOD,
    HEADING,
    INDENT,
    UNSURE,
    Page,
    change,
    number,
    percent,
    signed,
)
from nightbench.verdict.judgement import LeftOut, Line, LineState, Verdict

TITLE = "Compared with earlier nights"
_HEAD = (TITLE, "tonight", "baseline", "change", "95 % interval")
_LAYERS: Mapping[int, str] = MappingProxyType({2: "tonight", 3: "sustained", 4: "by its history"})
_N = TypeVar("_N", int, float)
_LONGEST_LABEL = 40
"""Columns of a quantity's name that others are aligned with; longer ones stand out."""


@dataclass(frozen=True)
class _Group:
    """The lines of one state that have a row each."""

    state: LineState
    one: str
    more: str
    style: str

    def title(self, amount: int) -> str:
        return f"{amount} {self.one if amount == 1 else self.more}"


_GROUPS = (
    _Group("regression", "regression", "regressions", BAD),
    _Group("suspect", "suspect", "suspects", UNSURE),
    _Group("noisy", "noisy", "noisy", UNSURE),
    _Group("improved", "improved", "improved", GOOD),
    _Group("missing", "missing tonight", "missing tonight", UNSURE),
    _Group("muted", "muted", "muted", DIM),
)
"""In the order of reading."""


def print_verdict(page: Page, verdict: Verdict | None, units: Mapping[str, str]) -> None:
    """Print the lines of one suite; each in full that is not as ever, the others in short form.

    Args:
        page: Where to.
        verdict: Of one suite; None when it was not compared.
        units: Unit by metric; what is not in it has none.
    """
    page.line()
    if verdict is None:
        page.line((TITLE, HEADING))
        page.line(INDENT, "not compared")
        return
    _rows(page, verdict.lines, units)
    for note in verdict.notes:
        page.paragraph(note, first=f"{INDENT}- ", rest=f"{INDENT}  ", style=UNSURE)
    print_changes(page, verdict.changes)
    steady = [line for line in verdict.lines if line.state == "steady"]
    _short(page, steady, "steady", _would_have_shown(steady))
    _short(page, [line for line in verdict.lines if line.state == "provisional"], "provisional")
    if _all_are("missing", verdict.lines):
        _tell(page, "missing tonight", _by_reason(verdict.lines, "missing"))
    _without_baseline(page, verdict.lines)
    _not_gating(page, verdict.lines)
    _left_out(page, verdict.left_out)


def in_one_sentence(line: Line, units: Mapping[str, str]) -> str:
    """``message.response_time.p95 got worse: 41.20 ms against 35.10 ms, +17.4 % (+12.1 to +23.0)``."""
    unit = units.get(line.metric, "")
    interval = "" if line.low is None else f" ({_interval(line)})"
    against = f"{number(line.value, unit)} against {number(line.baseline, unit)}"
    return f"{line.metric} got worse: {against}, {change(line.effect)}{interval}"


def _interval(line: Line) -> str:
    return "" if line.low is None else f"{signed(line.low)} to {signed(line.high)}"


def _rows(page: Page, lines: Sequence[Line], units: Mapping[str, str]) -> None:
    rows: list[list[str]] = []
    styles: list[str] = []
    under: list[list[str]] = []
    for group in _GROUPS:
        of_group = [line for line in lines if line.state == group.state]
        if not of_group or (group.state == "missing" and _all_are("missing", lines)):
            continue
        rows.append([group.title(len(of_group)), "", "", "", ""])
        styles.append(group.style)
        under.append([])
        for line in of_group:
            unit = units.get(line.metric, "")
            rows.append(
                [
                    f"{INDENT}{clean_text(line.metric)}",
                    number(line.value, unit),
                    number(line.baseline, unit),
                    change(line.effect),
                    _interval(line),
                ]
            )
            styles.append(group.style if group.state == "regression" else "")
            under.append(_evidence(line))
    if rows:
        page.table(_HEAD, rows, styles, under=under)
    else:
        page.line((TITLE, HEADING))


def _evidence(line: Line) -> list[str]:
    if line.state == "missing":
        return [line.why] if line.why else []
    parts = [
        _LAYERS.get(line.layer or 0, ""),
        _nights(line.nights),
        "" if line.p_adjusted is None else f"adjusted p {probability(line.p_adjusted)}",
        "" if line.noise is None else f"noise {percent(line.noise)}",
        "" if line.detectable is None else f"detectable {percent(abs(line.detectable))}",
    ]
    return [text for text in (", ".join(part for part in parts if part), line.why) if text]


def probability(p: float) -> str:
    """A p value with the digits that it deserves."""
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def _short(page: Page, lines: Sequence[Line], what: str, more: str = "") -> None:
    if lines:
        page.paragraph(f"{len(lines)} {what} over {_range([line.nights for line in lines], _nights)}{more}")
        _by_quantity(page, lines)


def _would_have_shown(lines: Sequence[Line]) -> str:
    sizes = [abs(line.detectable) for line in lines if line.detectable is not None]
    return f"; changes from {_range(sizes, percent)} on would have shown" if sizes else ""


def _range(sizes: Sequence[_N], said: Callable[[_N], str]) -> str:
    """``19 to 20 nights``, ``20 nights`` where all are the same."""
    low, high = said(min(sizes)), said(max(sizes))
    return high if low == high else f"{low.partition(' ')[0]} to {high}"


def _by_quantity(page: Page, lines: Iterable[Line]) -> None:
    """A row for each quantity with the change of each of its statistics."""
    quantities: dict[str, list[tuple[str, str]]] = {}
    for line in lines:
        quantity, _, statistic = clean_text(line.metric).rpartition(".")
        quantities.setdefault(quantity, []).append((statistic, change(line.effect)))
    width = min(max(cell_len(page.said(quantity)) for quantity in quantities), _LONGEST_LABEL)
    for quantity, pairs in quantities.items():
        if cell_len(page.said(quantity)) > width:
            page.paragraph(quantity, first=INDENT * 2, rest=INDENT * 2, style=DIM)
            page.pairs(pairs, first=INDENT * 2 + " " * (width + len(INDENT)), gap=GAP, style=DIM)
        else:
            page.pairs(pairs, first=INDENT * 2 + quantity.ljust(width) + INDENT, gap=GAP, style=DIM)


def _without_baseline(page: Page, lines: Sequence[Line]) -> None:
    """The metrics that nothing can be said of; of a reason that is that of all, a note speaks."""
    reasons = _by_reason(lines, "no baseline")
    if len(reasons) > 1 or not _all_are("no baseline", lines):
        _tell(page, "no baseline", reasons)


def _by_reason(lines: Sequence[Line], state: LineState) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for line in lines:
        if line.state == state:
            reasons.setdefault(line.why, []).append(line.metric)
    return reasons


def _tell(page: Page, what: str, reasons: Mapping[str, Sequence[str]]) -> None:
    for why, names in reasons.items():
        page.paragraph(f"{what}{f' ({why})' if why else ''}: {', '.join(names)}")


def _all_are(state: LineState, lines: Sequence[Line]) -> bool:
    """Whether every metric that gates is in `state`."""
    return all(line.state == state for line in lines if line.gates)


def _not_gating(page: Page, lines: Sequence[Line]) -> None:
    for line in lines:
        if line.state == "too noisy":
            quantity, _, statistic = line.metric.rpartition(".")
            what = f"{statistic.replace('p', 'P')} of {quantity}" if quantity else line.metric
            page.paragraph(_too_noisy(what, line), first=f"{INDENT}- ", rest=f"{INDENT}  ")
    informs = sum(line.state == "informs" for line in lines)
    if informs:
        page.paragraph(f"{informs} more inform and do not gate", style=DIM)


def _too_noisy(what: str, line: Line) -> str:
    if line.noise is None:
        return f"{what} does not gate{': ' if line.why else ''}{line.why}"
    return f"{what} does not gate: its own noise is {percent(line.noise)} from night to night"


def _left_out(page: Page, left_out: Sequence[LeftOut]) -> None:
    if left_out:
        nights = ", ".join(f"{_nights(each.nights)} ({each.reason})" for each in left_out)
        page.paragraph(f"left out of the baseline: {nights}", style=DIM)


def _nights(amount: int) -> str:
    return "1 night" if amount == 1 else f"{amount} nights"
