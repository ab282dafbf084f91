"""Scans that read many rows to keep few, and the index that would serve. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nightbench.database.diagnosis.catalog import Catalog, Index, Table
from nightbench.database.diagnosis.expressions import (
    RANGES,
    Comparison,
    column_of,
    comparisons,
    masked,
    tokens_of,
)
from nightbench.database.diagnosis.indexes import LARGE_ROWS
from nightbench.database.diagnosis.plans import CapturedPlan, PlanNode
from nightbench.database.finding import Finding

MOST_KEPT = 0.1
"""The share of the rows read past which a scan of all of them is what anybody would do."""

_EQUAL = "="
_VARYING = "character varying"
_PASSES_ORDER_ON = frozenset({"Gather Merge", "Limit", "Result"})


@dataclass(frozen=True)
class WastefulScan:
    """A scan that threw most of what it read away.

    Attributes:
        table: That it went through, or through a partition of.
        columns: Of the index that would serve, with their direction; empty when its filter is nothing that
            was understood.
        equalities: How many of the first `columns` are compared with one value.
    """

    statement: str
    table: Table
    node: PlanNode
    columns: tuple[str, ...]
    equalities: int


def wasteful_scans(plan: CapturedPlan, catalog: Catalog) -> Iterator[WastefulScan]:
    """The sequential scans of a plan over large tables whose filter removes most of their rows."""
    for node in plan.top.walk():
        table = catalog.tables.get(node.table or "")
        if table is None or node.kind != "Seq Scan" or not node.condition or node.table_rows < LARGE_ROWS:
            continue
        if node.kept <= MOST_KEPT * (node.kept + node.removed):
            columns, equalities = index_columns(node, table)
            yield WastefulScan(plan.statement, table, node, columns, equalities)


def scan_findings(plans: Sequence[CapturedPlan], catalog: Catalog) -> Iterator[Finding]:
    """One finding for each table and index that would serve, with all statements that it would serve."""
    scans = [scan for plan in plans for scan in wasteful_scans(plan, catalog)]
    scans.sort(key=lambda scan: -len(scan.columns))
    groups: list[list[WastefulScan]] = []
    for scan in scans:
        for group in groups:
            longest = group[0]
            if longest.table is scan.table and longest.columns[: len(scan.columns)] == scan.columns:
                group.append(scan)
                break
        else:
            groups.append([scan])
    for group in groups:
        yield _finding(group, catalog)


def wanted_indexes(
    plans: Sequence[CapturedPlan], catalog: Catalog
) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """The oid of the table and the columns of each index that would serve a scan, without their direction."""
    return tuple(
        (scan.table.oid, tuple(each.partition(" ")[0] for each in scan.columns))
        for plan in plans
        for scan in wasteful_scans(plan, catalog)
        if scan.columns
    )


def index_columns(node: PlanNode, table: Table) -> tuple[tuple[str, ...], int]:
    """Columns of the index that would serve a scan, and how many of them are compared with one value.

    First what is compared for equality, then what the rows are sorted by next, or else one column of which a
    range is asked for.
    """
    usable = [each for each in comparisons(node.condition, node.alias) if _uses_index(each, table)]
    equal = tuple(dict.fromkeys(each.column for each in usable if each.operator == _EQUAL))
    ordered = tuple(each for each in _order(node) if each.partition(" ")[0] not in equal)
    ranges = [each.column for each in usable if each.operator in RANGES and each.column not in equal]
    if ranges and not (equal and ordered):
        ordered = (ranges[0],)
    return (*equal, *(ordered if equal or ranges else ())), len(equal)


def _uses_index(comparison: Comparison, table: Table) -> bool:
    type_name = table.columns.get(comparison.column)
    return type_name is not None and (
        comparison.cast is None or (comparison.cast == "text" and type_name.startswith(_VARYING))
    )


def _order(node: PlanNode) -> tuple[str, ...]:
    """By what the rows of a scan are sorted right after it, as far as it is by its own columns."""
    above = node.above
    while above is not None and above.kind in _PASSES_ORDER_ON:
        above = above.above
    if above is None or above.kind not in ("Sort", "Incremental Sort"):
        return ()
    order = []
    for key in above.raw.get("Sort Key", ()):
        tokens = tokens_of(str(key))
        column = column_of(tokens[:3], node.alias)
        direction = [token.text for token in tokens[3:]]
        if column is None or direction not in ([], ["DESC"]):
            break
        order.append(" ".join([column[0], *direction]))
    return tuple(order)


def _finding(group: Sequence[WastefulScan], catalog: Catalog) -> Finding:
    widest = group[0]
    table, node = widest.table, max((scan.node for scan in group), key=lambda each: each.own_ms)
    statements = sorted({scan.statement for scan in group})
    return Finding(
        "sequential_scan",
        table.name,
        f"{' and '.join(statements)} went through all of {_named(node, table)}, {node.table_rows:,.0f} rows, to keep "
        f"{node.kept / max(node.loops, 1):,.0f} of them",
        _suggestion(widest, catalog),
        {
            "statements": statements,
            "filter": masked(node.condition),
            "rows_read": round(node.kept + node.removed),
            "rows_kept": round(node.kept),
            "ms": round(node.own_ms, 3),
        },
    )


def _named(node: PlanNode, table: Table) -> str:
    """What was gone through: the table, or one of its partitions."""
    return f"{node.relation}, a part of {table.name}" if table.partitioned else table.name


def _suggestion(scan: WastefulScan, catalog: Catalog) -> str:
    name = scan.table.name
    if not scan.columns:
        return (
            "no index serves its filter as it is; compare a column with one value: "
            f"{masked(scan.node.condition)}"
        )
    if there := _already_there(scan, catalog.indexes):
        return (
            f"{there.name} would serve but was not used: ANALYZE {name}, and compare the types of its filter"
        )
    return scan.table.with_index(scan.columns)


def _already_there(scan: WastefulScan, indexes: Sequence[Index]) -> Index | None:
    """An index that begins with what the filter compares."""
    led_by = {each.partition(" ")[0] for each in scan.columns[: scan.equalities or 1]}
    return next(
        (
            each
            for each in indexes
            if each.table_oid == scan.table.oid
            and each.valid
            and each.predicate is None
            and set(each.key[: len(led_by)]) == led_by
        ),
        None,
    )
