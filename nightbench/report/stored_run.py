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
from nightbench.report.layout import INDENT, UNSURE, WIDTH, Page
from nightbench.report.listing import print_marks
from nightbench.report.summary import print_measured, print_title
from nightbench.verdict.judgement import Line, Verdict
from nightbench.verdict.targets import TargetResult
from nightbench.verdict.verdict import SuiteVerdict


def print_stored_run(
    console: Console, run: StoredRun, lines: pd.DataFrame, marks: Sequence[Mark], alerts: Sequence[str] = ()
) -> None:
    """Print the run in at most 80 columns.

    Args:
        console: Where to.
        run: What is stored of it.
        lines: The stored lines of its night, suite and tier.
        marks: What was said about it.
        alerts: What was told of its night, a line each.
    """
    page = Page(console)
    verdict = stored_verdict(run, lines)
    print_title(page, verdict)
    page.pairs(_facts(run))
    for reason in verdict.measurement.validity.reasons:
        page.paragraph(reason, first=f"{INDENT}- ", rest=f"{INDENT}  ", style=UNSURE)
    for title, name in (("Plan", "plan"), ("Subject", "subject"), ("Host", "host"), ("Packages", "packages")):
        _values(page, title, run.row[name])
    print_measured(page, verdict)
    if alerts:
        page.heading("Alerts of the night")
        for text in alerts:
            page.paragraph(text, rest=INDENT * 2)
    if marks:
        print_marks(console, marks, title="What was said about it")


def stored_verdict(run: StoredRun, lines: pd.DataFrame) -> SuiteVerdict:
    """The run with its own targets, and with what was said of its night where that was compared."""
    return SuiteVerdict(
        measurement=measurement_of(run),
        targets=tuple(stored_targets(run.row["targets"])),
        judged=Verdict(lines=stored_lines(lines)) if len(lines) else None,
    )


def stored_targets(targets: Any) -> Iterator[TargetResult]:
    """Stored targets as they were judged; `targets` is the list of the table ``runs``, None without any."""
    for target in targets or ():
        upper = target.get("upper")
        yield TargetResult(
            metric=target["metric"],
            op=target["op"],
            limit=target["limit"],
            value=target["value"],
            met=target["met"],
            upper=upper,
            inclusive=None if upper is None else target.get("inclusive") or "both",
        )


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
        release=row["release"],
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


def _facts(run: StoredRun) -> Iterator[tuple[str, str]]:
    row = run.row
    yield "run", run.run_id
    yield "night", str(row["night_id"])
    yield "environment", str(row["environment"])
    if row["release"]:
        yield "release", row["release"]
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
