"""What a diagnosis and its rules look at, made by hand."""

from datetime import UTC, datetime

import numpy as np

from nightbench.database.diagnosis.catalog import Catalog, ForeignKey, Index, Policy, Table
from nightbench.database.diagnosis.figures import LoadFigures, StatementFigures
from nightbench.database.diagnosis.plans import CapturedPlan
from nightbench.database.pool_counts import PoolCounts
from nightbench.database.result import LoadResult
from nightbench.database.tally import Tally
from nightbench.load.health import Health
from nightbench.load.histogram import Histogram
from nightbench.load.phases import Phases
from nightbench.load.timeline import Times
from nightbench.plan import DatabasePlan

PLAN = DatabasePlan(queries=1000, workers=8, rate=100)


def table(
    oid=1, name="expenses", *, rows=100_000.0, row_security=True, scans=5000.0, partitioned=False, **columns
):
    types = columns or {"id": "uuid", "user_id": "uuid", "category": "text", "spent_on": "date"}
    return Table(oid, f"public.{name}", name, rows, row_security, types, scans, partitioned)


def index(oid, name, *columns, **changes):
    numbers = " ".join("1" for _ in columns)
    given = {"classes": numbers, "collations": numbers, "options": numbers, "pages": 500, "scans": 7.0}
    of = {"table_oid": 1, "table_name": "expenses", "method": "btree", "key_columns": len(columns)}
    return Index(oid=oid, name=name, columns=columns, **{**of, **given, **changes})


def foreign_key(*columns, name="expenses_user_id_fkey", table_oid=1, table_name="expenses"):
    return ForeignKey(name, table_oid, table_name, "profiles", columns)


def policy(using, with_check=None, *, name="own_expenses"):
    return Policy(name, name, 1, "expenses", using, with_check)


def catalog(*indexes, tables=None, keys=(), policies=(), costly=(), volatile=(), age=0.0):
    found = {each.key: each for each in ([table()] if tables is None else tables)}
    return Catalog(
        tables=found,
        of_workload=frozenset(each.oid for each in found.values()),
        foreign_keys=keys,
        indexes=indexes,
        policies=policies,
        costly=frozenset(costly),
        volatile=frozenset(volatile),
        statistics_age=age,
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


def histogram(milliseconds, n=200):
    """So many samples of one length."""
    found = Histogram()
    found.add(np.full(n, int(milliseconds * 1e6)))
    return found


def health(**changes):
    """Of a generator that had time for everything."""
    fine = {"cpu_seconds": 1.0, "wall_seconds": 10.0, "tick_lag": histogram(0.1), "gc_pause_max_ms": 0.0}
    return Health(**{**fine, "open_files": 1, "memory_mib": 1.0, **changes})


def load_of(*statements, send_lag=0.1, **changes):
    """What generators saw whose `statements` took 2 ms each, without anything to complain about."""
    tally = Tally(statements, operations=1)
    took = {f"query[{name}].execute_time": histogram(2.0, 20) for name in statements}
    known = {**took, "query.send_lag": histogram(send_lag)}
    times = tuple(
        Times({name: known.get(name, total) for name, total in each.totals.items()}, {})
        for each in tally.times()
    )
    fine = {
        "started_at": datetime.now(UTC),
        "phases": Phases.plan(0, ramp=0, warmup=0, measure=10, drain=1),
        "counted": tally.counted(),
        "uncounted": tally.uncounted(),
        "times": times,
        "health": health(),
        **dict.fromkeys(("leaked", "retries", "retried", "last_ok"), 0),
        "rows": tally.rows,
        "course": tally.course(),
        "pool": PoolCounts(size=10, max_overflow=0),
        "starved": (),
        "given_up": None,
    }
    return LoadResult(**{**fine, **changes})


def kinds(findings):
    return [(each.kind, each.subject) for each in findings]
