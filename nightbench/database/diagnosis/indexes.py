"""Foreign keys without an index, indexes that nobody uses, indexes that another one makes needless. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nightbench.database.diagnosis.catalog import Catalog, ForeignKey, Index
from nightbench.database.finding import Finding

LARGE_ROWS = 10_000
"""Rows of a table from which going through all of it is worth a word."""
OLD_ENOUGH_SECONDS = 86_400.0
"""Age of the statistics from which an index without a scan is one that nobody uses."""
USED_ENOUGH_SCANS = 1000
"""Scans of its table by which such an index would have been used if anybody could."""
LARGE_PAGES = 128
"""Of 8 KiB: an index that is smaller costs nothing worth a word."""


Wanted = tuple[int, tuple[str, ...]]


def index_findings(catalog: Catalog, wanted: Sequence[Wanted] = ()) -> tuple[Finding, ...]:
    """What the catalog says of the indexes of the workload's tables.

    Args:
        catalog: Of the workload.
        wanted: Indexes that another finding suggests already: the oid of the table and the columns of each.
    """
    needless = tuple(_needless(catalog))
    named = {finding.subject for finding in needless}
    unused = (finding for finding in _unused(catalog) if finding.subject not in named)
    return (*_unindexed_keys(catalog, wanted), *needless, *unused)


def _unindexed_keys(catalog: Catalog, wanted: Sequence[Wanted]) -> Iterator[Finding]:
    for key in catalog.foreign_keys:
        table = catalog.table(key.table_oid)
        if table is None or table.rows < LARGE_ROWS or any(_serves(each, key) for each in catalog.indexes):
            continue
        columns = ", ".join(key.columns)
        serving: list[tuple[str, ...]] = [
            others
            for oid, others in wanted
            if oid == key.table_oid and set(others[: len(key.columns)]) == set(key.columns)
        ]
        suggestion = table.with_index(key.columns)
        if serving:
            widest = max(serving, key=len)
            suggestion = f"the index ({', '.join(widest)}) that its sequential scans want serves this too"
        yield Finding(
            "foreign_key_without_index",
            f"{key.table_name}.{key.name}",
            f"no index of {key.table_name} begins with {columns}, which refers to {key.referenced}: each row that "
            f"is deleted or gets another key there goes through all {table.rows:,.0f} rows here, "
            "and so do joins over it",
            suggestion,
            {
                "table": key.table_name,
                "columns": list(key.columns),
                "references": key.referenced,
                "rows": round(table.rows),
            },
        )


def _serves(index: Index, key: ForeignKey) -> bool:
    """Whether the rows of a key are found by an index."""
    if index.table_oid != key.table_oid or not index.valid or index.method not in ("btree", "hash"):
        return False
    whole = index.predicate is None or index.predicate in {f"({each} IS NOT NULL)" for each in key.columns}
    return whole and set(index.key[: len(key.columns)]) == set(key.columns)


def _needless(catalog: Catalog) -> Iterator[Finding]:
    """Each index that could go since another one does all that it does, once."""
    gone: set[int] = set()
    for index in sorted(catalog.indexes, key=lambda each: -each.oid):  # of two equals the newer one goes
        if index.table_oid not in catalog.of_workload or index.replica_identity or index.of_constraint:
            continue
        others = (each for each in catalog.indexes if each.oid != index.oid and each.oid not in gone)
        for other in others:
            if not _covers(other, index):
                continue
            gone.add(index.oid)
            yield _needless_finding(index, other)
            break


def _needless_finding(index: Index, other: Index) -> Finding:
    columns = ", ".join(index.key)
    same = len(index.key) == len(other.key)
    text = (
        f"has the same columns ({columns}) as {other.name}"
        if same
        else f"has the columns ({columns}) with which {other.name} begins too"
    )
    return Finding(
        "duplicate_index",
        index.name,
        f"{index.name} of {index.table_name} {text}: each write pays for both",
        index.dropped,
        {
            "table": index.table_name,
            "columns": list(index.columns),
            "other": other.name,
            "other_columns": list(other.columns),
            "mib": round(index.pages / 128, 1),
        },
    )


def _covers(other: Index, index: Index) -> bool:
    """Whether `other` finds, orders, carries and forbids all that `index` does."""
    same_rows = (
        other.table_oid == index.table_oid
        and other.valid
        and other.method == index.method
        and other.predicate == index.predicate
    )
    n = len(index.key)
    if not same_rows or other.key[:n] != index.key:
        return False
    if n < len(other.key) and (index.method != "btree" or index.is_unique):
        return False
    if index.is_unique and not other.is_unique:
        return False
    if not index.included <= {*other.key, *other.included}:
        return False
    return all(
        mine.split()[:n] == theirs.split()[:n]
        for mine, theirs in (
            (index.classes, other.classes),
            (index.collations, other.collations),
            (index.options, other.options),
        )
    )


def _unused(catalog: Catalog) -> Iterator[Finding]:
    if catalog.statistics_age < OLD_ENOUGH_SECONDS:
        return
    days = catalog.statistics_age / 86_400
    for index in catalog.indexes:
        table = catalog.table(index.table_oid)
        bound = index.is_unique or index.of_constraint or index.replica_identity or not index.valid
        if table is None or index.table_oid not in catalog.of_workload or bound:
            continue
        if index.scans or index.pages < LARGE_PAGES or table.scans < USED_ENOUGH_SCANS:
            continue
        if _needed_for_a_key(index, catalog.foreign_keys, catalog.indexes):
            continue
        yield Finding(
            "unused_index",
            index.name,
            f"{index.name} was not used once in {days:,.1f} days, in which {index.table_name} was scanned "
            f"{table.scans:,.0f} times: each write pays for it",
            f"when no replica and no rare report needs it: {index.dropped}",
            {
                "table": index.table_name,
                "columns": list(index.columns),
                "days": round(days, 1),
                "scans_of_table": round(table.scans),
                "mib": round(index.pages / 128, 1),
            },
        )


def _needed_for_a_key(index: Index, keys: Sequence[ForeignKey], indexes: Sequence[Index]) -> bool:
    """Whether a foreign key would have no index without it."""
    return any(
        _serves(index, key) and not any(_serves(each, key) for each in indexes if each.oid != index.oid)
        for key in keys
    )
