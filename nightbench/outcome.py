"""What came of a night: its exit code, and how it is told in a terminal and as JSON."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any

from rich.console import Console

from nightbench.alert_rows import alert_rows
from nightbench.alerts.alert_record import AlertRecord
from nightbench.alerts.delivery import DeliveryReport, all_wait
from nightbench.alerts.failure import Failure
from nightbench.alerts.outbox import Outbox
from nightbench.blocks import Skipped
from nightbench.errors import ExitCode
from nightbench.history.reading import UnreadableFile
from nightbench.history.record import clean_own
from nightbench.measurement import SCHEMA
from nightbench.plan import Tier
from nightbench.report.document import suite_document
from nightbench.report.layout import Page
from nightbench.report.overview import STYLES
from nightbench.report.promises import missed_in_words, units_of
from nightbench.report.summary import print_night
from nightbench.report.verdict_lines import in_one_sentence
from nightbench.scrub import scrub, scrub_long, scrub_tree
from nightbench.settings import Settings
from nightbench.verdict.verdict import State, SuiteVerdict, exit_code
from nightbench.wording import amount

_WIDTH = 80
_WORDS: Mapping[State, tuple[str, str]] = MappingProxyType(
    {
        "met": ("✓", "Targets met"),
        "regression": ("✗", "Regression"),
        "missed": ("✗", "Target missed"),
        "invalid": ("?", "Invalid or incomplete"),
    }
)


@dataclass(frozen=True)
class NightOutcome:
    """What came of a night.

    Attributes:
        night_id: Shared by its runs.
        release: Of the subject; None when it is not known.
        verdicts: One for each suite that was measured, in the order of measuring.
        failures: The steps that raised.
        skipped: The runs of suites that there were not because the night was interrupted.
        unreadable: Files of the history that had to be passed over.
        alerts: What was decided about each alert.
        delivery: What became of the alerts; None when the night ended before they could be posted.
        kept_aside: The folder of the runs that the dataset could not take, if there are any.
        steps: How many loads were tried of a search for the capacity, each a run of its own.
        cancelled: Whether a user has cancelled it before its end.
    """

    night_id: str
    verdicts: tuple[SuiteVerdict, ...] = ()
    release: str | None = None
    failures: tuple[Failure, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unreadable: tuple[UnreadableFile, ...] = ()
    alerts: tuple[AlertRecord, ...] = ()
    delivery: DeliveryReport | None = None
    kept_aside: Path | None = None
    steps: int = 0
    cancelled: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """What is certain comes first: a missed target or a regression; the rest only when nothing was measured.

        That is a wrong setting, or else an interruption.
        """
        code = exit_code(self.verdicts, len(self.unreadable))
        if code is ExitCode.MISSED:
            return code
        codes = {failure.exit_code for failure in self.failures}
        if ExitCode.WRONG_USE in codes and not self.verdicts:
            return ExitCode.WRONG_USE
        if self.skipped and not codes and not self.verdicts:
            return ExitCode.INTERRUPTED
        return ExitCode.INVALID if codes or self.skipped else code

    @property
    def state(self) -> State:
        """The same in the words of a suite: what could not be measured or was cut short is invalid."""
        match self.exit_code:
            case ExitCode.MET:
                return "met"
            case ExitCode.MISSED:
                missed = any(verdict.state == "missed" for verdict in self.verdicts)
                return "missed" if missed else "regression"
        return "invalid"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know beside the verdicts, one sentence each, free of secrets."""
        return (
            *(str(failure) for failure in self.failures),
            *(str(skipped) for skipped in self.skipped),
            *(unreadable_note(file) for file in self.unreadable),
        )

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Why it is not a pass, one sentence each: missed targets, regressions, doubts, notes."""
        return (
            *(sentence for verdict in self.verdicts for sentence in _shortcomings(verdict)),
            *self.notes,
        )

    def of_tier(self, tier: Tier) -> NightOutcome:
        """The same as if `tier` had been the whole night."""
        return NightOutcome(
            night_id=self.night_id,
            release=self.release,
            verdicts=tuple(verdict for verdict in self.verdicts if verdict.measurement.tier == tier),
            failures=tuple(failure for failure in self.failures if failure.tier == tier),
            skipped=tuple(skipped for skipped in self.skipped if skipped.tier == tier),
            unreadable=tuple(file for file in self.unreadable if f"tier={tier}" in PurePath(file.path).parts),
        )


def headline(outcome: NightOutcome) -> str:
    """What came of a night in one line of plain text: ``✗ Target missed: 1 of 6 suites``."""
    state = outcome.state
    mark, words = _WORDS[state]
    if outcome.exit_code is ExitCode.INTERRUPTED and not outcome.cancelled:
        return f"{mark} Interrupted: nothing was measured"
    measured = {(each.measurement.tier, each.measurement.suite): each.state for each in outcome.verdicts}
    unmeasured = {(each.tier, each.suite) for each in outcome.skipped}
    unmeasured |= {(each.tier, each.suite) for each in outcome.failures if each.tier and each.suite}
    unmeasured -= measured.keys()
    suites = amount(len(measured) + len(unmeasured), "suite")
    if state == "met":
        return f"{mark} {words} in {suites}"
    same = list(measured.values()).count(state) + (len(unmeasured) if state == "invalid" else 0)
    if outcome.cancelled and state == "invalid":
        return f"{mark} Cancelled: {same} of {suites} invalid or incomplete" if same else f"{mark} Cancelled"
    then = ", then cancelled" if outcome.cancelled else ""
    return f"{mark} {words}: {same} of {suites}{then}" if same else f"{mark} {words}{then}"


def _shortcomings(verdict: SuiteVerdict) -> list[str]:
    place = f"{verdict.measurement.tier} {verdict.measurement.suite}"
    if verdict.state == "invalid":
        validity = verdict.measurement.validity
        doubt = f"{place}: invalid" if validity.complete else place  # what is incomplete says so itself
        return [scrub(f"{doubt}: {reason}") for reason in validity.reasons]
    units = units_of(verdict)
    lost = () if verdict.whole else verdict.block_notes
    return [
        *(f"{place}: {missed_in_words(target, units.get(target.metric, ''))}" for target in verdict.missed),
        *(scrub(f"{place}: {in_one_sentence(line, units)}") for line in verdict.regressions),
        *(scrub(f"{place}: {note}") for note in lost),
    ]


def unreadable_note(file: UnreadableFile) -> str:
    """What is said about a file of the history that cannot be read, with the way out."""
    return scrub(f"{file.path}: not part of the history: {file.problem}; move it away to go on without it")


def night_document(outcome: NightOutcome) -> dict[str, Any]:
    """The night as JSON-like data, scrubbed: what ``nightbench run --json`` writes."""
    delivery: dict[str, Any] | None = None
    if outcome.delivery is not None:
        told = alert_rows(outcome.alerts, outcome.delivery)
        delivery = {**asdict(outcome.delivery), "told": told}
    return {
        "schema": SCHEMA,
        "night_id": outcome.night_id,
        "release": clean_own(outcome.release),
        "exit_code": int(outcome.exit_code),
        "suites": [suite_document(verdict) for verdict in outcome.verdicts],
        "notes": list(outcome.notes),
        "alerts": scrub_tree(delivery),
    }


def places_of(outcome: NightOutcome, settings: Settings) -> dict[str, Path | str]:
    """Where the runs lie, by label."""
    aside = {} if outcome.kept_aside is None else {"kept aside": outcome.kept_aside}
    return {"results": settings.results, **aside}


def print_outcome(console: Console, outcome: NightOutcome, settings: Settings) -> None:
    """Print the summary of a night, and as its last line once more what came of it."""
    places = {**places_of(outcome, settings), "outbox": settings.outbox_folder}
    print_night(
        console,
        outcome.verdicts,
        saved=places,
        alerts=outcome.delivery or _not_posted(settings),
        notes=outcome.notes,
    )
    page = Page(console)
    page.line()
    page.line((headline(outcome), STYLES[outcome.state]))


def _not_posted(settings: Settings) -> DeliveryReport:
    why = "the night ended before they were posted"
    return replace(all_wait(Outbox(settings.outbox_folder), why), reasons=(why,))


def night_text(outcome: NightOutcome, settings: Settings) -> str:
    """The summary as the terminal has it, scrubbed."""
    text = io.StringIO()
    print_outcome(
        Console(file=text, width=_WIDTH, force_terminal=False, color_system=None), outcome, settings
    )
    return scrub_long(text.getvalue().rstrip())
