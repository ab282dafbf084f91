"""Whether the tables of a run are apart: rows that two of them show would be counted twice."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from nightbench.database.checking.blame import Blame
from nightbench.database.housekeeping.deletable import identifier
from nightbench.plan.workload import WrittenTable

_PARTS = """
WITH RECURSIVE parts (oid) AS (
    SELECT pg_catalog.to_regclass(%(name)s)::oid
    UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN parts ON i.inhparent = parts.oid)
SELECT c.relkind IN ('r', 'p'), ARRAY(SELECT oid FROM parts)
FROM pg_catalog.pg_class AS c WHERE c.oid = pg_catalog.to_regclass(%(name)s)
"""


def check_apart(connection: psycopg.Connection, blame: Blame, tables: Sequence[WrittenTable]) -> None:
    """See that no row is in two of `tables`, whatever their names; one alone may be anything.

    Args:
        connection: In a transaction of a tenant, for whom all of them are there.
        blame: Of the plan.
        tables: Where the run writes.

    Raises:
        ConfigurationError: naming the second of two that share rows, or what is no table where there are several.
        psycopg.Error: of the connection.
    """
    if len(tables) == 1:
        return
    named: dict[int, str] = {}
    for number, table in enumerate(tables):
        field, name = f"own_rows.tables[{number}]", table.table
        with blame.of(field, name):
            quoted = identifier(name).as_string(connection)
            row = connection.execute(_PARTS, {"name": quoted}).fetchone()
        assert row is not None
        is_table, parts = row
        if not is_table:
            problem = "it is no table, and may show rows of another of own_rows.tables"
            blame.refuse(field, name, problem, "name the table that it shows")
        if shared := next((named[part] for part in parts if part in named), None):
            problem = f"it shares rows with {shared}, which is named before: each change would count twice"
            blame.refuse(field, name, problem, "name every table once, and of one with parts only the whole")
        named |= dict.fromkeys(parts, name)
