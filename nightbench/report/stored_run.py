"""One stored run whole, for people: what was asked, on what, what came of it, and what was said about it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any, cast

import pandas as pd
from rich.console import Console

from nightbench.history.marks import Mark
from nightbench.history.record import clean_text
from nightbench.history.runs import StoredRun
from nightbench.load.ledger import OperationCounts
from nightbench.measurement import Measurement, Metric, Validity
from nightbench.plan import SuitePlan
from nightbench.report.course import print_course
from nightbench.report.findings import print_findings
from nightbench.report.grouping import group
from nightbench.report.layout import BAD, GOOD, HEADING, INDENT, UNSURE, WIDTH, Page, number
from nightbench.report.listing import print_marks
from nightbench.report.measured import print_errors, print_operations, print_times
from nightbench.report.verdict_lines import print_verdict
from nightbench.verdict.judgement import Line, Verdict


def print_stored_run(console: Console, run: StoredRun, lines: pd.DataFrame, marks: Sequence[Mark]) -> None:
    """Print the run in at most 80 columns.

    Args:
        console: Where to.
        run: What is stored of it.
        lines: The stored lines of its night, suite and tier.
        marks: What was said about it.
    """
    page = Page(console)
    measurement = measurement_of(run)
    grouped = group(measurement.metrics)
    page.line((f"{run.tier} {run.suite}", HEADING), f"  {_state(run)}")
    page.pairs(_facts(run))
    for reason in measurement.validity.reasons:
        page.paragraph(reason, first=f"{INDENT}- ", rest=f"{INDENT}  ", style=UNSURE)
    for title, name in (("Plan", "plan"), ("Subject", "subject"), ("Host", "host"), ("Packages", "packages")):
        _values(page, title, run.row[name])
    print_operations(page, measurement, grouped)
    print_times(page, grouped)
    print_course(page, measurement)
    print_errors(page, measurement)
    print_findings(page, measurement.details)
    _targets(page, run)
    if len(lines):
        units = {metric.name: metric.unit for metric in measurement.metrics}
        print_verdict(page, Verdict(lines=stored_lines(lines)), units)
    if marks:
        print_marks(console, marks, title="What was said about it")


def measurement_of(run: StoredRun) -> Measurement:
    """The run as it was when it was measured, with the plan as it is stored, and without its windows."""
    row = run.row
    columns = (run.metrics[name].tolist() for name in ("name", "value", "unit", "n"))
    return Measurement(
        run_id=run.run_id,
        night_id=row["night_id"],
        suite=run.suite,  # type: ignore[arg-type]  # as it was stored
        tier=run.tier,  # type: ignore[arg-type]
        environment=row["environment"],
        started_at=row["started_at"],
        duration=row["duration_s"],
        plan=cast(
            "SuitePlan", row["plan"]
        ),  # for showing alone: of another version it may be no plan any more
        subject=row["subject"] or {},
        host=row["host"] or {},
        validity=Validity(tuple(row["reasons"] or ()), bool(row["complete"])),
        operations=_accounts(row["operations"]),
        uncounted=_accounts(row["uncounted"]),
        metrics=tuple(
            Metric(name, None if pd.isna(value) else value, unit, n)
            for name, value, unit, n in zip(*columns, strict=True)
        ),
        details=row["details"] or {},
        role=row["role"],
        block=row["block"] or 1,
    )


def stored_lines(lines: pd.DataFrame) -> tuple[Line, ...]:
    """Stored lines as they were judged."""
    names = [name for name in Line.__dataclass_fields__ if name in lines.columns]
    rows = lines[names].astype(object).where(lines[names].notna(), None).to_dict("records")
    return tuple(Line(**{str(name): value for name, value in row.items()}) for row in rows)


def _accounts(stored: Any) -> dict[str, OperationCounts]:
    accounts = stored if isinstance(stored, Mapping) else {}
    return {
        operation: OperationCounts(**{**counts, "errors": Counter(counts.get("errors") or {})})
        for operation, counts in accounts.items()
    }


def _state(run: StoredRun) -> str:
    row = run.row
    if not row["complete"]:
        return "incomplete"
    if not row["valid"]:
        return "invalid"
    if not row["targets"]:
        return "no targets"
    return "targets met" if row["targets_met"] else "targets missed"


def _facts(run: StoredRun) -> Iterator[tuple[str, str]]:
    row = run.row
    yield "run", run.run_id
    yield "night", str(row["night_id"])
    yield "environment", str(row["environment"])
    yield "started", f"{row['started_at'].astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    yield "measured", f"{row['duration_s']:,.1f} s"
    yield "role", f"{row['role']} {row['block'] or 1}"
    yield "windows", f"{len(run.windows):,}"


def _values(page: Page, title: str, values: Any) -> None:
    if not isinstance(values, Mapping) or not values:
        return
    page.heading(title)
    plain = {name: value for name, value in values.items() if not isinstance(value, (Mapping, list))}
    page.pairs((clean_text(str(name)), _text(value)) for name, value in plain.items() if value is not None)
    for name, value in values.items():
        if name not in plain and value:
            page.paragraph(f"{name} {json.dumps(value, ensure_ascii=False)}", rest=INDENT * 2)


def _text(value: Any) -> str:
    text = clean_text(f"{value:g}" if isinstance(value, float) else str(value))
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 20]}…"


def _targets(page: Page, run: StoredRun) -> None:
    units = dict(zip(run.metrics["name"], run.metrics["unit"], strict=True))
    rows, styles = [], []
    for target in run.row["targets"] or ():
        mark = page.met if target["met"] else page.missed
        unit = units.get(target["metric"], "")
        limits = f"{target['op']} {number(target['limit'], unit)}"
        if "upper" in target:
            limits = f"{number(target['limit'])} to {number(target['upper'], unit)}"
        rows.append([f"{mark} {clean_text(target['metric'])}", number(target["value"], unit), limits])
        styles.append(GOOD if target["met"] else BAD)
    if rows:
        page.line()
        page.table(["Targets", "value", "target"], rows, styles)
