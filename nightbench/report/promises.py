"""The block of the summary that holds the targets: what was promised, what came of it."""

from __future__ import annotations

from nightbench.history.record import clean_text
from nightbench.report.layout import BAD, GOOD, UNSURE, Page, number
from nightbench.verdict.targets import LEAKED_ROWS, TargetResult
from nightbench.verdict.verdict import SuiteVerdict


def print_targets(page: Page, verdict: SuiteVerdict) -> None:
    """A row for each target, with the night's value; nothing without any."""
    if not verdict.targets:
        return
    page.line()
    title = "Targets" if verdict.trusted else "Targets (not judged)"
    units = units_of(verdict)
    rows, styles = [], []
    for target in verdict.targets:
        mark, style = _mark(page, verdict, target)
        unit = units.get(target.metric, "")
        rows.append(
            [f"{mark} {clean_text(target.metric)}", _value(verdict, target, unit), _promised(target, unit)]
        )
        styles.append(style)
    page.table([title, "value", "target"], rows, styles)


def units_of(verdict: SuiteVerdict) -> dict[str, str]:
    """The unit of each metric that a block of the night has."""
    return {metric.name: metric.unit for run in verdict.runs for metric in run.metrics}


def _mark(page: Page, verdict: SuiteVerdict, target: TargetResult) -> tuple[str, str]:
    width = max(len(page.met), len(page.missed))
    certain = verdict.trusted or (verdict.leaked and target.metric == LEAKED_ROWS)
    if not certain:
        return "–".ljust(width), UNSURE
    return (page.met.ljust(width), GOOD) if target.met else (page.missed.ljust(width), BAD)


def _value(verdict: SuiteVerdict, target: TargetResult, unit: str) -> str:
    if target.value is not None:
        return number(target.value, unit)
    metric = next((item for item in verdict.values if item.name == target.metric), None)
    if metric is None:
        return "not measured"
    operation = metric.name.partition(".")[0]
    accounts = (run.operations.get(operation) for run in verdict.runs)
    lost = sum(counts.skipped for counts in accounts if counts is not None)
    skipped = f", {lost:,} skipped" if lost else ""
    return f"missing (n = {metric.n:,}{skipped})"


def _promised(target: TargetResult, unit: str) -> str:
    """``< 2,000 ms``; of a range ``>= 45, <= 55 1/s``."""
    limits = ", ".join(f"{op} {_limit(limit)}" for op, limit in target.limits())
    return limits if unit in {"", "1"} else f"{limits} {unit}"


def _limit(limit: float) -> str:
    return f"{limit:,.0f}" if limit == int(limit) else f"{limit:g}"
