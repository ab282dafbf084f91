"""Indexes that are missing, needless or unused: each rule with what it must not accuse."""

import pytest
from diagnosing import catalog, foreign_key, index, kinds, table

from nightbench.database.diagnosis.indexes import index_findings

KEY = foreign_key("user_id")
MISSING = [("foreign_key_without_index", "expenses.expenses_user_id_fkey")]
DAY = 86_400.0


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (catalog(keys=(KEY,)), MISSING),
        (catalog(index(1, "i", "user_id", "spent_on"), keys=(KEY,)), []),
        (catalog(index(1, "i", "spent_on", "user_id"), keys=(KEY,)), MISSING),
        (catalog(index(1, "i", "user_id", valid=False), keys=(KEY,)), MISSING),
        (catalog(index(1, "i", "user_id", method="gin"), keys=(KEY,)), MISSING),
        (catalog(index(1, "i", "user_id", predicate="(source IS NOT NULL)"), keys=(KEY,)), MISSING),
        (catalog(index(1, "i", "user_id", predicate="(user_id IS NOT NULL)"), keys=(KEY,)), []),
        (catalog(index(1, "i", "b", "a"), keys=(foreign_key("a", "b"),)), []),
        (catalog(index(1, "i", "a", "c", "b"), keys=(foreign_key("a", "b"),)), MISSING),
        (catalog(index(1, "i", "user_id", table_oid=2), keys=(KEY,)), MISSING),
        (catalog(tables=[table(rows=9_999)], keys=(KEY,)), []),
    ],
)
def test_foreign_keys(found, expected):
    assert kinds(index_findings(found)) == expected


def test_an_index_that_is_wanted_anyway_is_named_instead_of_another():
    wanted = ((1, ("user_id",)), (1, ("user_id", "spent_on")), (2, ("user_id", "a", "b")))
    (finding,) = index_findings(catalog(keys=(KEY,)), wanted)
    assert (
        finding.suggestion == "the index (user_id, spent_on) that its sequential scans want serves this too"
    )


def test_the_missing_index_is_spelt_out():
    (finding,) = index_findings(catalog(keys=(foreign_key("a", "b"),)))
    assert finding.suggestion == "CREATE INDEX CONCURRENTLY ON expenses (a, b)"


DIVIDED = table(partitioned=True)


def test_a_partitioned_table_has_no_index_made_concurrently():
    (finding,) = index_findings(catalog(tables=[DIVIDED], keys=(KEY,)))
    assert finding.suggestion.startswith("CREATE INDEX ON expenses (user_id); it stops writes meanwhile")


def test_a_partitioned_index_is_not_dropped_concurrently():
    two = (index(number, f"i{number}", "a", partitioned=True) for number in (1, 2))
    (finding,) = index_findings(catalog(*two, tables=[DIVIDED]))
    assert finding.suggestion == "DROP INDEX i2"


AB = index(2, "ab", "a", "b")


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (index(3, "newer", "a", "b"), ["newer"]),
        (index(1, "older", "a", "b"), ["ab"]),
        (index(3, "lead", "a"), ["lead"]),
        (index(3, "behind", "b"), []),
        (index(3, "turned", "b", "a"), []),
        (index(3, "lead", "a", is_unique=True), []),
        (index(3, "unique", "a", "b", is_unique=True), ["ab"]),
        (index(3, "key", "a", "b", is_unique=True, of_constraint=True), ["ab"]),
        (index(3, "key", "a", of_constraint=True), []),
        (index(3, "replica", "a", replica_identity=True), []),
        (index(3, "partial", "a", predicate="(a > 1)"), []),
        (index(3, "hash", "a", method="hash"), []),
        (index(3, "classes", "a", classes="9"), []),
        (index(3, "collations", "a", collations="9"), []),
        (index(3, "descending", "a", options="3"), []),
        (index(3, "carries", "a", "c", key_columns=1), []),
        (index(3, "carries", "a", "b", key_columns=1), ["carries"]),
        (index(3, "elsewhere", "a", table_oid=2), []),
    ],
    ids=lambda value: value.name if hasattr(value, "name") else None,
)
def test_needless_indexes(other, named):
    found = index_findings(catalog(AB, other))
    assert kinds(found) == [("duplicate_index", name) for name in named]


def test_of_three_equals_one_stays():
    found = index_findings(catalog(index(1, "a1", "a"), index(2, "a2", "a"), index(3, "a3", "a")))
    assert sorted(each.subject for each in found) == ["a2", "a3"]


@pytest.mark.parametrize(
    ("found", "named"),
    [
        (catalog(index(1, "i", "a", scans=0), age=DAY), ["i"]),
        (catalog(index(1, "i", "a", scans=0), age=DAY - 1), []),
        (catalog(index(1, "i", "a", scans=1), age=DAY), []),
        (catalog(index(1, "i", "a", scans=0, pages=127), age=DAY), []),
        (catalog(index(1, "i", "a", scans=0, is_unique=True), age=DAY), []),
        (catalog(index(1, "i", "a", scans=0, of_constraint=True), age=DAY), []),
        (catalog(index(1, "i", "a", scans=0, replica_identity=True), age=DAY), []),
        (catalog(index(1, "i", "a", scans=0), tables=[table(scans=999)], age=DAY), []),
        (catalog(index(1, "i", "user_id", scans=0), keys=(KEY,), age=DAY), []),
        (catalog(index(1, "i", "user_id", scans=0), index(2, "j", "user_id", "a"), keys=(KEY,), age=DAY), []),
    ],
)
def test_unused_indexes(found, named):
    unused = [each.subject for each in index_findings(found) if each.kind == "unused_index"]
    assert unused == named
