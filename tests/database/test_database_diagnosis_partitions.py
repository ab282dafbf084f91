"""Partitioned tables: what is found of a partition is said of the whole, once, in words that the server takes."""

import psycopg
import pytest
from diagnosing import captured, catalog, kinds, node, scan, table

from nightbench.database.diagnosis.catalog import read_catalog
from nightbench.database.diagnosis.indexes import index_findings
from nightbench.database.diagnosis.policies import unprotected_tables
from nightbench.database.diagnosis.scans import scan_findings

DIVIDED = """
CREATE TABLE receipts (id int, user_id uuid NOT NULL REFERENCES profiles, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE receipts_2025 PARTITION OF receipts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE receipts_2026 PARTITION OF receipts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
ALTER TABLE receipts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_receipts ON receipts USING (user_id = auth.uid());
CREATE INDEX receipts_at ON receipts (at);
CREATE INDEX receipts_at_id ON receipts (at, id);
INSERT INTO receipts SELECT n, (SELECT id FROM profiles LIMIT 1), date '2025-01-01' + n % 700
FROM generate_series(1, 12000) AS n;
ANALYZE receipts;
"""
PARTS = ("public.receipts_2025", "public.receipts_2026")


def catalog_of(connection):
    """That of a statement whose plan came to both partitions."""
    return read_catalog(connection, PARTS, role="authenticated", calls=lambda _: ["auth.uid"])


@pytest.fixture(scope="module")
def divided(postgres):
    with postgres.changed(DIVIDED, "DROP TABLE receipts"):
        with psycopg.connect(postgres.dsn) as connection:
            found = catalog_of(connection)
        yield found


def test_partitions_are_looked_at_as_one_table(divided):
    one, other = (divided.tables[name] for name in PARTS)
    assert one is other
    assert (one.name, one.rows, one.row_security, one.partitioned) == ("receipts", 12_000, True, True)
    assert divided.of_workload == {one.oid}
    assert [each.name for each in divided.policies] == ["own_receipts"]
    assert all(each.partitioned and each.pages > 10 for each in divided.indexes)


def test_their_foreign_key_and_their_indexes_are_told_once(divided):
    assert kinds(index_findings(divided)) == [
        ("foreign_key_without_index", "receipts.receipts_user_id_fkey"),
        ("duplicate_index", "receipts_at"),
    ]


def test_what_is_suggested_is_taken_by_the_server_and_mends_it(postgres, divided):
    with psycopg.connect(postgres.admin_dsn) as connection, connection.transaction(force_rollback=True):
        for each in index_findings(divided):
            connection.execute(each.suggestion.partition(";")[0])
        assert index_findings(catalog_of(connection)) == ()


WASTEFUL = {"Filter": "(x.user_id = 'a'::uuid)", "Actual_Rows": 10, "Rows_Removed_by_Filter": 20_000}


def part(name, alias):
    return scan(relation=name, **{**WASTEFUL, "Alias": alias, "Filter": f"({alias}.user_id = 'a'::uuid)"})


def whole():
    """A catalog that knows one table by the names of its partitions."""
    of_all = table(name="receipts", partitioned=True)
    found = catalog(tables=[of_all])
    found.tables.update(dict.fromkeys(PARTS, of_all))
    return found


def test_scans_of_several_partitions_want_one_index():
    plan = captured(node("Append", part("receipts_2025", "r_1"), part("receipts_2026", "r_2")))
    (finding,) = scan_findings([plan], whole())
    assert kinds([finding]) == [("sequential_scan", "receipts")]
    assert "went through all of receipts_2025, a part of receipts, 20,010 rows" in finding.text
    assert finding.suggestion.startswith("CREATE INDEX ON receipts (user_id); it stops writes")


def test_a_table_without_a_policy_is_told_once_for_all_its_partitions():
    found = whole()
    found.tables.update(dict.fromkeys(PARTS, table(name="receipts", row_security=False, partitioned=True)))
    plan = captured(node("Append"), tenant_column="user_id")
    told = list(unprotected_tables(found, [plan], {"listing": set(PARTS)}))
    assert kinds(told) == [("table_without_policy", "receipts")]
