"""What a reader can do about what the verdict says, as commands that can be pasted."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.cells import cell_len

from nightbench.report.layout import DIM, INDENT, WIDTH, Page
from nightbench.report.set_comparison import MAIN
from nightbench.settings import Settings
from nightbench.verdict.judgement import Line
from nightbench.verdict.verdict import SuiteVerdict

MUTED_FOR = timedelta(days=14)
"""For how long an alert is muted unless the reader changes the date."""

_BREAK = " \\"
_ENVIRONMENT: str = Settings.model_fields["environment"].default
_RESULTS: Path = Settings.model_fields["results"].default


@dataclass(frozen=True)
class Origin:
    """What was typed for the run, as far as a command about it has to say the same.

    Attributes:
        results: Where the history is.
        repeats: Whether it was a flow, which can repeat what looks worse; a suite by itself cannot.
    """

    results: Path | str = _RESULTS
    repeats: bool = True


def print_next_steps(page: Page, verdict: SuiteVerdict, origin: Origin) -> None:
    """The ways on from a missed target, a regression, or a suspect that nobody repeated; nothing without any."""
    suspects = () if verdict.judged is None else verdict.judged.suspects
    worse = verdict.regressions or suspects
    missed = verdict.state == "missed"
    if not missed and not worse:
        return
    page.heading("What next")
    place = _place(verdict, origin)
    if missed:
        _print_missed(page, verdict, place)
    if worse:
        _print_worse(page, verdict, worse, origin, place)


def _print_missed(page: Page, verdict: SuiteVerdict, place: Sequence[str]) -> None:
    run = verdict.measurement.run_id
    _step(
        page,
        "a target was missed: see the run with its plan, host and errors:",
        ["history", "show", run, *place],
    )
    _step(page, "since when, night by night, in a browser:", ["report", *_part(verdict), *place])


def _print_worse(
    page: Page, verdict: SuiteVerdict, worse: Sequence[Line], origin: Origin, place: Sequence[str]
) -> None:
    metrics = [line.metric for line in verdict.regressions]
    night = verdict.measurement.night_id
    _step(
        page,
        "see what changed, quantile by quantile with intervals:",
        ["compare", "baseline", night, *_part(verdict), *_quantiles(verdict, worse), *place],
    )
    if not metrics:
        _print_again(page, verdict, origin, place)
        return
    about = [*_part(verdict), "--why", "WHY", *place]
    until = (verdict.measurement.started_at + MUTED_FOR).date().isoformat()
    _step(
        page,
        "the new level is right, the normal one from this night on:",
        ["ack", "accept", night, *metrics, *about],
    )
    page.paragraph(
        "without the names it accepts what changed in the whole suite: all its metrics begin anew", style=DIM
    )
    _step(
        page,
        "it is known: no alert of it until a day:",
        ["ack", "mute", night, *metrics, "--until", until, *about],
    )
    _step(page, "the night was no measurement:", ["ack", "invalid", night, *about])
    page.paragraph("Until then the night is flagged: it stays out of the baseline.", style=DIM)


def _print_again(page: Page, verdict: SuiteVerdict, origin: Origin, place: Sequence[str]) -> None:
    if not origin.repeats:
        page.paragraph(
            "measure again with the same command: what stays worse is mostly a regression by the third time, "
            "and often by the second"
        )
        return
    several = ["--blocks", str(len(verdict.runs))] if len(verdict.runs) > 1 else []
    _step(
        page,
        "measure again, with the other flags of this run, and repeat what looks worse:",
        ["run", verdict.measurement.tier, *several, "--reruns", "3", *place],
    )


def _part(verdict: SuiteVerdict) -> list[str]:
    """Which runs of the night are meant."""
    measurement = verdict.measurement
    return ["--suite", measurement.suite, "--tier", measurement.tier]


def _place(verdict: SuiteVerdict, origin: Origin) -> list[str]:
    """Where its history is found again, as far as that is not where it is found by itself."""
    environment, results = verdict.measurement.environment, origin.results
    return [
        *([] if environment == _ENVIRONMENT else ["--environment", environment]),
        *([] if str(results) == str(_RESULTS) else ["--results", str(results)]),
    ]


def _quantiles(verdict: SuiteVerdict, worse: Sequence[Line]) -> list[str]:
    """The flags that make ``compare`` show the quantiles of what got worse, where it would not by itself."""
    stored = dict.fromkeys(f"{each.operation}.{each.quantity}." for each in verdict.measurement.windows)
    of_line = {line.metric: next(filter(line.metric.startswith, stored), None) for line in worse}
    shown = {f"{quantity}*" for quantity in of_line.values() if quantity is not None}
    if shown.issubset(MAIN):
        return []
    asked = dict.fromkeys(name if quantity is None else f"{quantity}*" for name, quantity in of_line.items())
    return [word for pattern in asked for word in ("--metric", pattern)]


def _step(page: Page, what: str, words: Sequence[str]) -> None:
    page.paragraph(what)
    line, margin = "nightbench", INDENT * 2
    for word in _together(map(shlex.quote, words)):
        if cell_len(f"{margin}{line} {word}{_BREAK}") > WIDTH:
            page.line(margin, line + _BREAK)
            line, margin = word, INDENT * 4
        else:
            line = f"{line} {word}"
    page.line(margin, line)


def _together(words: Iterable[str]) -> Iterator[str]:
    """The words, each flag with its value."""
    flag = ""
    for word in words:
        if word.startswith("--"):
            flag = f"{word} "
        else:
            yield flag + word
            flag = ""
