"""What the rules of a diagnosis look at, made by hand."""

from nightbench.database.diagnosis.catalog import Catalog, ForeignKey, Index, Policy, Table
from nightbench.database.diagnosis.figures import LoadFigures, StatementFigures
from nightbench.database.diagnosis.plans import CapturedPlan
from nightbench.plan import DatabasePlan

PLAN = DatabasePlan(queries=1000, workers=8, rate=100)


def table(oid=1, name="expenses", *, rows=100_000.0, row_security=True, scans=5000.0, **columns):
    types = columns or {"id": "uuid", "user_id": "uuid", "category": "text", "spent_on": "date"}
    return Table(oid, f"public.{name}", name, rows, row_security, types, scans)


def index(oid, name, *columns, **changes):
    numbers = " ".join("1" for _ in columns)
    given = {"classes": numbers, "collations": numbers, "options": numbers, "pages": 500, "scans": 7.0}
    of = {"table_oid": 1, "table_name": "expenses", "method": "btree", "key_columns": len(columns)}
    return Index(oid=oid, name=name, columns=columns, **{**of, **given, **changes})


def foreign_key(*columns, name="expenses_user_id_fkey", table_oid=1, table_name="expenses"):
    return ForeignKey(name, table_oid, table_name, "profiles", columns)


def policy(using, with_check=None, *, name="own_expenses"):
    return Policy(name, name, 1, "expenses", using, with_check)


def catalog(*indexes, tables=None, keys=(), policies=(), costly=(), age=0.0):
    found = {each.key: each for each in ([table()] if tables is None else tables)}
    return Catalog(
        found, frozenset(each.oid for each in found.values()), keys, indexes, policies, frozenset(costly), age
    )


def node(kind, *below, **members):
    """A node of a plan: ``Actual_Rows=3`` for its ``Actual Rows``."""
    once = {"Actual Loops": 1, "Actual Rows": 0, "Actual Total Time": 1.0}
    named = {name.replace("_", " "): value for name, value in members.items()}
    return {"Node Type": kind, **once, **named, "Plans": list(below)}


def scan(kind="Seq Scan", *, relation="expenses", **members):
    where = {"Relation_Name": relation, "Schema": "public", "Alias": relation}
    return node(kind, **{**where, **members})


def captured(top, statement="listing", *, tenant_column=None, tenant_index=None, **members):
    raw = {"Plan": top, "Planning Time": 0.5, "Execution Time": 9.5, "Triggers": [], **members}
    return CapturedPlan(statement, tenant_column, tenant_index, raw)


def figures(**changes):
    """A load with nothing to complain about: a statement of 2 ms at P95, half of the time of all."""
    statements = {"listing": StatementFigures(100, 100.0, 2.0), "other": StatementFigures(100, 100.0, 2.0)}
    fine = {
        "seconds": 10.0,
        "operations": 1000,
        "statements": statements,
        "pool_wait": 0.05,
        "pool_wait_p95": 0.1,
        "service": 2.0,
        "worker_wait": 0.1,
        "response": 2.1,
        "pool_connections": 18,
        "pool_most": 8,
    }
    return LoadFigures(**{**fine, **changes})


def kinds(findings):
    return [(each.kind, each.subject) for each in findings]
