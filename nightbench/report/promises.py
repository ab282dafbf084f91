"""The block of the summary that holds the targets: what was promised, what came of it."""

from __future__ import annotations

from nightbench.history.record import clean_text
from nightbench.report.layout import BAD, GOOD, UNSURE, Page, number, with_unit
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
            [
                f"{mark} {clean_text(target.metric)}",
                value_in_words(verdict, target, unit),
                promised(target, unit),
            ]
        )
        styles.append(style)
    page.table([title, "value", "target"], rows, styles)


def units_of(verdict: SuiteVerdict) -> dict[str, str]:
    """The unit of each metric that a block of the night has."""
    return {metric.name: metric.unit for run in verdict.runs for metric in run.metrics}


def _mark(page: Page, verdict: SuiteVerdict, target: TargetResult) -> tuple[str, str]:
    width = max(len(page.met), len(page.missed))
    if not is_certain(verdict, target):
        return "–".ljust(width), UNSURE
    return (page.met.ljust(width), GOOD) if target.met else (page.missed.ljust(width), BAD)


def is_certain(verdict: SuiteVerdict, target: TargetResult) -> bool:
    """Whether a target was judged: of an invalid measurement only that rows leaked."""
    return verdict.trusted or (verdict.leaked and target.metric == LEAKED_ROWS)


def value_in_words(verdict: SuiteVerdict, target: TargetResult, unit: str) -> str:
    """The night's value of a target, or why there is none."""
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


def promised(target: TargetResult, unit: str) -> str:
    """``< 2,000 ms``; of a range ``>= 45, <= 55 1/s``."""
    limits = ", ".join(f"{op} {_limit(limit)}" for op, limit in target.limits())
    return with_unit(limits, unit)


def missed_in_words(target: TargetResult, unit: str) -> str:
    """``message.response_time.p95 < 2,000 ms missed: 2,345.6 ms``."""
    value = "no value" if target.value is None else _beside_its_limits(target, target.value, unit)
    return f"{clean_text(target.metric)} {promised(target, unit)} missed: {value}"


def _beside_its_limits(target: TargetResult, value: float, unit: str) -> str:
    """With more digits where it would look like the limit that it misses."""
    said = number(value, unit)
    looks_kept = said in {number(limit, unit) for _, limit in target.limits()}
    return with_unit(f"{value:,.6g}", unit) if looks_kept else said


def _limit(limit: float) -> str:
    return f"{limit:,.0f}" if limit == int(limit) else f"{limit:g}"
