"""What a reader can do about what the verdict says, as commands that can be pasted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.cells import cell_len

from nightbench.report.layout import DIM, INDENT, WIDTH, Page
from nightbench.settings import Settings
from nightbench.verdict.verdict import SuiteVerdict

_BREAK = " \\"
_DEFAULT: str = Settings.model_fields["environment"].default


def print_next_steps(page: Page, verdict: SuiteVerdict) -> None:
    """The ways out of a regression, or of a suspect that nobody repeated; nothing without either."""
    measurement = verdict.measurement
    run, metrics = measurement.run_id, [line.metric for line in verdict.regressions]
    suspects = () if verdict.judged is None else verdict.judged.suspects
    if not metrics and not suspects:
        return
    place = [] if measurement.environment == _DEFAULT else ["--environment", measurement.environment]
    page.heading("What next")
    _step(page, "see what changed, quantile by quantile:", ["compare", "baseline", run, *place])
    if not metrics:
        again = ["run", measurement.tier, "--reruns", "3", *place]
        _step(page, "measure again, and repeat what looks worse:", again)
        return
    _step(
        page,
        "the new level is right, the normal one from this night on:",
        ["ack", "accept", run, *metrics, "--why", "WHY", *place],
    )
    _step(
        page,
        "it is known: no alert of it until a day:",
        ["ack", "mute", run, *metrics, "--until", "DATE", "--why", "WHY", *place],
    )
    _step(page, "the night was no measurement:", ["ack", "invalid", run, "--why", "WHY", *place])
    page.paragraph("Until then the night is flagged: it stays out of the baseline.", style=DIM)


def _step(page: Page, what: str, words: Sequence[str]) -> None:
    page.paragraph(what)
    line, margin = "nightbench", INDENT * 2
    for word in map(shlex.quote, words):
        if cell_len(f"{margin}{line} {word}{_BREAK}") > WIDTH:
            page.line(margin, line + _BREAK)
            line, margin = word, INDENT * 4
        else:
            line = f"{line} {word}"
    page.line(margin, line)
