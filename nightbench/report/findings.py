"""The blocks of the summary that explain: the slowest statements, and what was found with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nightbench.history.record import clean_text
from nightbench.report.grouping import spoken
from nightbench.report.layout import DIM, INDENT, UNSURE, Page, number

_UNDER = INDENT * 2


def print_findings(page: Page, details: Mapping[str, Any]) -> None:
    """Print what the details of a measurement hold of a diagnosis; nothing where none was made."""
    _print_slowest(page, list(_members(details, "slowest")))
    if "findings" not in details:
        return
    page.heading("Findings")
    findings = list(_members(details, "findings"))
    for finding in findings:
        about = f"{spoken(_text(finding, 'kind'))}: {_text(finding, 'subject')}"
        page.paragraph(about, first=f"{INDENT}- ", rest=_UNDER, style=UNSURE)
        page.paragraph(_text(finding, "text"), first=_UNDER, rest=_UNDER)
        page.paragraph(_text(finding, "suggestion"), first=f"{_UNDER}> ", rest=f"{_UNDER}  ")
    if not findings:
        page.line(INDENT, "none")
    for name in ("not_looked_at", "not_seen"):
        absent = details.get(name)
        for why in absent if isinstance(absent, list | tuple) else ():
            page.paragraph(f"{spoken(name)}: {why}", style=DIM)


def _print_slowest(page: Page, statements: list[Mapping[str, Any]]) -> None:
    if not statements:
        return
    page.line()
    page.table(
        ["Slowest statements", "share", "P95", "alone"],
        [
            [
                clean_text(_text(each, "name")),
                number(100 * (_number(each, "share") or 0.0), "%"),
                number(_number(each, "p95_ms"), "ms"),
                number(_number(each, "alone_ms"), "ms"),
            ]
            for each in statements
        ],
    )
    for each in statements:
        page.paragraph(
            f"{_text(each, 'name')}: {_text(each, 'hot')}", first=_UNDER, rest=f"{_UNDER}  ", style=DIM
        )


def _members(details: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = details.get(name)
    if isinstance(found, list | tuple):
        yield from (each for each in found if isinstance(each, Mapping))


def _text(member: Mapping[str, Any], name: str) -> str:
    return str(member.get(name, ""))


def _number(member: Mapping[str, Any], name: str) -> float | None:
    value = member.get(name)
    return float(value) if isinstance(value, int | float) else None
