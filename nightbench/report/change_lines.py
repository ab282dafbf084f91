"""Lasting changes in the history of a suite's metrics, as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from nightbench.report.layout import BAD, DIM, GOOD, INDENT, Page, change
from nightbench.verdict.judgement import Change

_SHOWN = 5
"""How many lasting changes are told of, the latest ones."""


def print_changes(page: Page, changes: Sequence[Change]) -> None:
    """A sentence for each lasting change, the latest first; what began together is one."""
    groups = grouped(changes)
    for group in groups[:_SHOWN]:
        worse = group[0].point.worse
        page.paragraph(in_words(group), first=f"{INDENT}- ", rest=f"{INDENT}  ", style=BAD if worse else GOOD)
    if len(groups) > _SHOWN:
        page.paragraph(f"and {len(groups) - _SHOWN} earlier changes", style=DIM)


def grouped(changes: Sequence[Change]) -> list[list[Change]]:
    """What began together, the latest first; in each the worst first, by the size of its effect."""
    groups: dict[int, list[Change]] = {}
    for each in changes:
        groups.setdefault(each.group, []).append(each)
    ordered = [
        sorted(group, key=lambda each: (not each.point.worse, -abs(each.point.effect)))
        for group in groups.values()
    ]
    return sorted(ordered, key=lambda group: min(each.age for each in group))


def in_words(group: Sequence[Change]) -> str:
    """``lasting change since NIGHT, 7 nights ago: message.response_time.p95 +12.0 %, with 4 other metrics``.

    The night by its id, as ``nightbench history epoch`` takes it.
    """
    first, *others = group
    match len(others):
        case 0:
            company = ""
        case 1:
            company = f", with {others[0].metric} {change(others[0].point.effect)}"
        case amount:
            company = f", with {amount} other metrics"
    return f"lasting change since {_since(first)}: {first.metric} {change(first.point.effect)}{company}"


def _since(each: Change) -> str:
    match each.age:
        case 0:
            return "tonight"
        case 1:
            return f"{each.night}, last night"
        case age:
            return f"{each.night}, {age} nights ago"
