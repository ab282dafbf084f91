"""The beginning of a night's summary: one line for each suite, and what got worse in it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from rich.console import Console

from nightbench.report.layout import BAD, GOOD, HEADING, INDENT, UNSURE, Page, change, number
from nightbench.verdict.judgement import Line
from nightbench.verdict.verdict import State, SuiteVerdict
from nightbench.wording import amount

STYLES: Mapping[State, str] = MappingProxyType(
    {"met": GOOD, "regression": BAD, "missed": BAD, "invalid": UNSURE}
)
MAIN: Mapping[str, str] = MappingProxyType({"websocket": "message", "database": "query"})
"""What a suite is about: the operation of its main metrics."""
_ANY_PAGE = Page(Console(file=io.StringIO()))
_NAMED = 3
"""How many metrics of a suite are named; the others stand in its own block."""


def print_overview(page: Page, verdicts: Iterable[SuiteVerdict]) -> None:
    """One row a suite, with the night's values; under it what got worse."""
    rows, styles, under = [], [], []
    for verdict in verdicts:
        measurement = verdict.measurement
        main = MAIN[measurement.suite]
        rows.append(
            [
                f"{measurement.tier} {measurement.suite}",
                state_in_words(page, verdict),
                number(verdict.value(f"{main}.response_time.p95"), "ms"),
                number(verdict.value(f"{main}.success_rate"), "%"),
                number(verdict.value(f"{main}.throughput"), "1/s"),
            ]
        )
        styles.append(STYLES[verdict.state])
        under.append(_what_got_worse(verdict))
    if not rows:
        page.line(("Summary", HEADING))
        page.line(INDENT, ("nothing was measured", BAD))
        return
    page.table(
        ["Summary", "verdict", "P95 response", "success", "throughput"], rows, styles, left=2, under=under
    )


def state_in_words(page: Page, verdict: SuiteVerdict) -> str:
    """What came of a suite, in the words of its title and of its line."""
    match verdict.state:
        case "met":
            met = f"{page.met} targets met" if verdict.targets else "no targets"
            return ", ".join([met, *_suspects(verdict), *_muted(verdict)])
        case "regression":
            several = len(verdict.regressions)
            worse = "regression" if several == 1 else f"{several} regressions"
            return ", ".join([f"{page.worse}{worse}", *_muted(verdict)])
        case "invalid":
            return "incomplete" if not verdict.measurement.validity.complete else "invalid"
        case "missed" if verdict.leaked:
            return f"{page.verdict_missed}: rows leaked"
        case "missed":
            return f"{page.verdict_missed} {len(verdict.missed)} of {len(verdict.targets)} targets"


def state_as_text(verdict: SuiteVerdict) -> str:
    """The same for a page that is no terminal, and has every character."""
    return state_in_words(_ANY_PAGE, verdict)


def _suspects(verdict: SuiteVerdict) -> list[str]:
    suspects = () if verdict.judged is None else verdict.judged.suspects
    return [amount(len(suspects), "suspect")] if suspects else []


def _muted(verdict: SuiteVerdict) -> list[str]:
    muted = len(_muted_lines(verdict))
    return [f"{muted} muted"] if muted else []


def _muted_lines(verdict: SuiteVerdict) -> list[Line]:
    lines = () if verdict.judged is None else verdict.judged.lines
    return [line for line in lines if line.state == "muted"]


def _what_got_worse(verdict: SuiteVerdict) -> list[str]:
    suspects = () if verdict.judged is None else verdict.judged.suspects
    told = (("worse", verdict.regressions), ("suspect", suspects), ("muted", _muted_lines(verdict)))
    return [f"{what}: {_named(lines)}" for what, lines in told if lines]


def _named(lines: Sequence[Line]) -> str:
    ordered = sorted(lines, key=lambda line: -abs(line.effect or 0.0))
    named = ", ".join(f"{line.metric} {change(line.effect)}" for line in ordered[:_NAMED])
    more = len(lines) - _NAMED
    return f"{named} and {more} more" if more > 0 else named
