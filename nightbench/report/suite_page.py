"""One suite of a night as markdown: what was promised, how it compares, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nightbench.report.layout import change, number, signed
from nightbench.report.markdown import code, inline, items, page, said, table
from nightbench.report.overview import MAIN, state_as_text
from nightbench.report.promises import is_certain, promised, units_of, value_in_words
from nightbench.report.summary import load_in_words
from nightbench.verdict.judgement import Line
from nightbench.verdict.verdict import SuiteVerdict

MOST_ROWS = 30
"""Of one table; the rest is told by number."""

_TOLD = ("regression", "suspect", "noisy", "missing", "muted", "improved")
"""The states of lines that have a row each, in the order of reading."""


def overview_table(verdicts: Iterable[SuiteVerdict]) -> str:
    """A row for each suite with what came of it and its main values."""
    rows = []
    for verdict in verdicts:
        main = MAIN[verdict.measurement.suite]
        rows.append(
            [
                _place(verdict),
                inline(state_as_text(verdict)),
                number(verdict.value(f"{main}.response_time.p95"), "ms"),
                number(verdict.value(f"{main}.success_rate"), "%"),
                number(verdict.value(f"{main}.throughput"), "1/s"),
            ]
        )
    return table(["Suite", "Verdict", "P95 response", "Success", "Throughput"], rows, left=2) if rows else ""


def suite_section(verdict: SuiteVerdict, pictures: Sequence[str] = ()) -> str:
    """All of a suite that a reader asks for first, below a heading.

    Args:
        verdict: On the suite.
        pictures: Its charts, as markdown.
    """
    run = verdict.measurement
    facts = f"{said(load_in_words(run))}; {run.duration:,.1f} s measured; run {code(run.run_id)}"
    return page(
        f"### {_place(verdict)}: {said(state_as_text(verdict))}",
        facts,
        items(said(note) for note in _notes(verdict)),
        _targets(verdict),
        _comparison(verdict),
        *pictures,
    ).rstrip()


def _place(verdict: SuiteVerdict) -> str:
    return f"{verdict.measurement.tier} {verdict.measurement.suite}"


def _notes(verdict: SuiteVerdict) -> list[str]:
    """What is said of the suite as a whole."""
    reasons = () if verdict.trusted else verdict.measurement.validity.reasons
    judged = () if verdict.judged is None else verdict.judged.notes
    return [*reasons, *verdict.block_notes, *judged][:MOST_ROWS]


def _targets(verdict: SuiteVerdict) -> str:
    if not verdict.targets:
        return ""
    units = units_of(verdict)
    rows = []
    # what was missed comes first
    for target in sorted(verdict.targets, key=lambda each: each.met):
        unit = units.get(target.metric, "")
        mark = "–" if not is_certain(verdict, target) else "✓" if target.met else "**✗ missed**"
        rows.append(
            [
                code(target.metric),
                mark,
                inline(value_in_words(verdict, target, unit)),
                inline(promised(target, unit)),
            ]
        )
    title = "Target" if verdict.trusted else "Target (not judged)"
    return _bounded([title, "", "value", "promised"], rows)


def _comparison(verdict: SuiteVerdict) -> str:
    """The lines that are not as ever, then those of the main metrics."""
    if verdict.judged is None or not verdict.trusted:
        return ""
    units = units_of(verdict)
    lines = list(_lines(verdict.judged.lines, MAIN[verdict.measurement.suite]))
    rows = [_row(line, units.get(line.metric, "")) for line in lines]
    if not rows:
        return ""
    head = ["Against earlier nights", "", "tonight", "baseline", "change (95 %)"]
    return page(_bounded(head, rows), items(_whys(lines))).rstrip()


def _whys(lines: Iterable[Line]) -> Iterator[str]:
    """The reasons, each once with the metrics that it is one for."""
    metrics: dict[str, list[str]] = {}
    for line in lines:
        if line.why and line.state in _TOLD:
            metrics.setdefault(line.why, []).append(code(line.metric))
    for why, names in list(metrics.items())[:MOST_ROWS]:
        yield f"{said(why)}: {', '.join(names[:MOST_ROWS])}"


def _lines(lines: Iterable[Line], main: str) -> Iterator[Line]:
    known = [line for line in lines if line.gates]
    for state in _TOLD:
        yield from (line for line in known if line.state == state)
    wanted = {f"{main}.response_time.p95", f"{main}.success_rate", f"{main}.throughput"}
    yield from (line for line in known if line.metric in wanted and line.state in ("steady", "provisional"))


def _row(line: Line, unit: str) -> list[str]:
    interval = "" if line.low is None else f" ({signed(line.low)} to {signed(line.high)})"
    state = f"**{line.state}**" if line.state == "regression" else line.state
    return [
        code(line.metric),
        state,
        inline(number(line.value, unit)),
        inline(number(line.baseline, unit)),
        inline(f"{change(line.effect)}{interval}"),
    ]


def _bounded(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    shown = table(head, rows[:MOST_ROWS], left=2)
    more = len(rows) - MOST_ROWS
    return f"{shown}\n\n{more} more in the whole summary below" if more > 0 else shown
