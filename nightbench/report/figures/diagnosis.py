"""What was found of the subject's server: the slowest statements and the findings, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nightbench.history.runs import StoredRun
from nightbench.report.charts.figure import Table
from nightbench.report.figures.words import ms
from nightbench.report.grouping import spoken
from nightbench.report.layout import number
from nightbench.scrub import one_line
from nightbench.visible import visible

_ABSENT = ("not_looked_at", "not_seen")
_OF_THE_SERVER = ("server.", "pool.", "policy.", "isolation.")


@dataclass(frozen=True)
class ServerFinding:
    """What there is something to do about, in plain text of one line each, scrubbed.

    Attributes:
        kind: What it is, in words.
        subject: What it is about: a statement, table, index or policy.
        text: What was seen.
        suggestion: What to do about it; may hold SQL.
    """

    kind: str
    subject: str
    text: str
    suggestion: str


@dataclass(frozen=True)
class TitledTable:
    """A table that stands for itself; `key` names it among those of its suite, as that of a figure does."""

    key: str
    title: str
    table: Table


def findings_of(run: StoredRun) -> tuple[ServerFinding, ...]:
    """The findings of a run, in its order; none of a healthy server, and of one that was not looked into."""
    return tuple(
        ServerFinding(
            kind=_line(spoken(_text(each, "kind"))),
            subject=_line(_text(each, "subject")),
            text=_line(_text(each, "text")),
            suggestion=_line(_text(each, "suggestion")),
        )
        for each in _members(_details(run), "findings")
    )


def tables_of(run: StoredRun) -> tuple[TitledTable, ...]:
    """The slowest statements, what the server and the pool tell, and what could not be looked at; none without rows."""
    tables = (
        TitledTable(
            "slowest-statements",
            "Slowest statements",
            Table(("statement", "share of all time", "P95", "alone", "longest step"), _slowest(run)),
        ),
        TitledTable("server", "Server and pool", Table(("figure", "value"), _server(run))),
        TitledTable("not-looked-at", "Not looked at", Table(("what", "why"), _absent(run))),
    )
    return tuple(each for each in tables if each.table.rows)


def _slowest(run: StoredRun) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            _line(_text(each, "name")),
            number(_times_100(_number(each, "share")), "%"),
            ms(_number(each, "p95_ms")),
            ms(_number(each, "alone_ms")),
            _line(_text(each, "hot")),
        )
        for each in _members(_details(run), "slowest")
    )


def _server(run: StoredRun) -> tuple[tuple[str, ...], ...]:
    """Its single figures: what is distributed is in a chart."""
    rows = run.metrics[["name", "value", "unit"]].itertuples(index=False, name=None)
    return tuple(
        (_line(spoken(name)), _line(number(value, unit)))
        for name, value, unit in rows
        if name.startswith(_OF_THE_SERVER) and not name.startswith("pool.wait.")
    )


def _absent(run: StoredRun) -> tuple[tuple[str, ...], ...]:
    details = _details(run)
    return tuple((spoken(name), _line(str(why))) for name in _ABSENT for why in _listed(details.get(name)))


def _details(run: StoredRun) -> Mapping[str, Any]:
    details = run.row.get("details")
    return details if isinstance(details, Mapping) else {}


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _members(details: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in _listed(details.get(name)) if isinstance(each, Mapping))


def _line(words: str) -> str:
    return one_line(visible(words))


def _text(member: Mapping[str, Any], name: str) -> str:
    return str(member.get(name, ""))


def _number(member: Mapping[str, Any], name: str) -> float | None:
    value = member.get(name)
    return float(value) if isinstance(value, int | float) else None


def _times_100(share: float | None) -> float | None:
    return None if share is None else 100 * share
