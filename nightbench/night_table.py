"""The metrics of a tier as rows of a table, which a UI can search and sort."""

from __future__ import annotations

from collections.abc import Iterator

from nightbench.history.record import clean_text
from nightbench.outcome import NightOutcome
from nightbench.plan import Tier
from nightbench.report.layout import change, number
from nightbench.report.promises import promised
from nightbench.verdict.verdict import SuiteVerdict

MOST_ROWS = 1000


def tiers_measured(outcome: NightOutcome) -> tuple[Tier, ...]:
    """The tiers of which something was measured, in the order of measuring."""
    return tuple(dict.fromkeys(verdict.measurement.tier for verdict in outcome.verdicts))


def metric_rows(outcome: NightOutcome, tier: Tier) -> list[dict[str, str]]:
    """A row for each metric of both suites of a tier: its value tonight, its target, and how it compares; text, scrubbed.

    The columns stand in the order in which a UI shows them: what came of it comes before what not every window has room for.
    """
    rows = [row for verdict in outcome.of_tier(tier).verdicts for row in _rows(verdict)]
    return rows[:MOST_ROWS]


def _rows(verdict: SuiteVerdict) -> Iterator[dict[str, str]]:
    lines = {} if verdict.judged is None else {line.metric: line for line in verdict.judged.lines}
    targets = {target.metric: target for target in verdict.targets}
    for metric in verdict.values:
        line, target = lines.get(metric.name), targets.get(metric.name)
        mark = "" if target is None or not verdict.trusted else " ✓" if target.met else " ✗"
        yield {
            "suite": verdict.measurement.suite,
            "metric": clean_text(metric.name),
            "verdict": "" if line is None else line.state,
            "tonight": number(metric.value, metric.unit),
            "target": "" if target is None else f"{promised(target, metric.unit)}{mark}",
            "change": "" if line is None else change(line.effect),
            "baseline": "" if line is None else number(line.baseline, metric.unit),
        }
