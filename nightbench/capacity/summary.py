"""What a search found in the terminal: the answer, and a row for each load that was tried."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.console import Console

from nightbench.capacity.answer import answer_of, ended_of, exit_code_of
from nightbench.capacity.finding import Found
from nightbench.capacity.loads import Tried, loads_of
from nightbench.capacity.search import Result
from nightbench.capacity.step_plan import unit_of
from nightbench.errors import ExitCode
from nightbench.report.layout import BAD, DIM, GOOD, HEADING, UNSURE, WIDTH, Page, number
from nightbench.report.overview import MAIN

_BAR = 12
_REASONS = 2
_SPAN = 10.0
"""Values have to differ by so many times to fill the bars: what differs by less looks alike."""
_STYLES: Mapping[Result, str] = {"met": GOOD, "missed": BAD, "invalid": UNSURE}
_OF_CODE: Mapping[ExitCode, str] = {ExitCode.MET: GOOD, ExitCode.MISSED: BAD}


def print_capacity(console: Console, found: Found) -> None:
    """Print the answer and the loads in at most 80 columns."""
    page = Page(console)
    name = f"{found.tier} · {found.suite} capacity"
    page.line("── ", (name, HEADING), " ", ("─" * (WIDTH - len(page.said(name)) - 4), DIM))
    page.paragraph(answer_of(found), style=_OF_CODE.get(exit_code_of(found), UNSURE))
    page.paragraph(ended_of(found))
    if not found.steps:
        return
    page.line()
    loads = loads_of(found.steps)
    bars = bars_of([each.p95_ms for each in loads], "#" if page.ascii else "█")
    invalid = any(each.count("invalid") for each in loads)
    page.table(
        [
            "Load",
            unit_of(found.suite),
            "kept",
            *(["invalid"] if invalid else []),
            "P95",
            f"{MAIN[found.suite]} success",
            "P95 (log)".ljust(_BAR),
        ],
        [_row(page, each, bar, invalid=invalid) for each, bar in zip(loads, bars, strict=True)],
        [_STYLES[each.result] for each in loads],
        under=[() if each.result == "met" else each.reasons[:_REASONS] for each in loads],
    )


def bars_of(values: Sequence[float | None], mark: str) -> list[str]:
    """A bar of `_BAR` columns for each value, on a logarithmic scale from the smallest of them."""
    known = [value for value in values if value]
    least, most = min(known, default=1.0), max(known, default=1.0)
    span = math.log(max(most / least, _SPAN))
    return [
        (mark * (1 + round((_BAR - 1) * math.log(value / least) / span)) if value else "").ljust(_BAR)
        for value in values
    ]


def _row(page: Page, tried: Tried, bar: str, *, invalid: bool) -> list[str]:
    mark = {"met": page.met, "missed": page.missed, "invalid": "?"}[tried.result]
    kept = tried.count("met")
    return [
        mark,
        str(tried.load),
        f"{kept} of {kept + tried.count('missed')}",
        *([str(tried.count("invalid") or "")] if invalid else []),
        number(tried.p95_ms, "ms"),
        number(tried.success, "%"),
        bar,
    ]
