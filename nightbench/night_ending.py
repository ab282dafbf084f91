"""A night that was told to end: what of it is kept, in words."""

from __future__ import annotations

from nightbench.errors import MeasurementError
from nightbench.outcome import NightOutcome
from nightbench.verdict.verdict import SuiteVerdict
from nightbench.wording import amount

EARLY_SECONDS = 20.0
"""How long a night may take to end early. Prefect kills a run's process 30 s after it has told it to end; what is
left of that is for the alerts, the state, and the end of the subject."""


class ToldToEndError(MeasurementError):
    """A night whose process somebody else has told to end, as a machine does that shuts down."""

    def __init__(self) -> None:
        super().__init__("its process was told to end before the night was done")


def is_whole(outcome: NightOutcome) -> bool:
    """Whether all was measured that was to be."""
    complete = all(each.complete and each.whole for each in outcome.verdicts)
    return complete and not outcome.skipped and bool(outcome.verdicts or outcome.failures)


def kept_of(outcome: NightOutcome | None) -> str:
    """What is kept of a night that ended early, and what there is not, in one line; None for one that never began."""
    if outcome is None or not (outcome.verdicts or outcome.steps):
        return "nothing was measured"
    steps = (f"{amount(outcome.steps, 'step')} of the search",) if outcome.steps else ()
    kept = "kept: " + ", ".join((*map(_kept, outcome.verdicts), *steps))
    return "; ".join((kept, *map(str, outcome.skipped)))


def _kept(verdict: SuiteVerdict) -> str:
    measurement = verdict.measurement
    place = f"{measurement.tier} {measurement.suite}"
    return place if verdict.complete else f"{place} (incomplete)"
