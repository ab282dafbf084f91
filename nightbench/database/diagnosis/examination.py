"""After the load: why it was as it was, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg

from nightbench.database.connection import bounded
from nightbench.database.diagnosis.capture import Allowance, TimeIsUpError, capture_plans, reason_of
from nightbench.database.diagnosis.catalog import Catalog, read_catalog
from nightbench.database.diagnosis.figures import LoadFigures
from nightbench.database.diagnosis.indexes import index_findings
from nightbench.database.diagnosis.limits import limit_findings
from nightbench.database.diagnosis.plans import CapturedPlan
from nightbench.database.diagnosis.policies import called_functions, policy_findings, unprotected_tables
from nightbench.database.diagnosis.scans import scan_findings, wanted_indexes, wasteful_scans
from nightbench.database.diagnosis.statements import slowest, slowest_first, statement_findings
from nightbench.database.finding import Diagnosis
from nightbench.database.observation import Observation
from nightbench.database.result import LoadResult
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Statement, Workload
from nightbench.plan import DatabasePlan

DIAGNOSIS_SECONDS = 20.0
"""How long its statements may take together."""
PATIENCE_SECONDS = 5.0
"""What a server that keeps no time itself is given on top."""
_MOST_CAPTURED = 25


def diagnose(
    connection: psycopg.Connection[Any],
    *,
    plan: DatabasePlan,
    workload: Workload,
    settings: TenantSettings,
    relations: Mapping[str, Collection[str]],
    observation: Observation,
    load: LoadResult,
) -> Diagnosis:
    """Look for what explains a run by what its generators saw; see `examine`."""
    return examine(
        connection,
        plan=plan,
        workload=workload,
        settings=settings,
        relations=relations,
        observation=observation,
        load=LoadFigures.of(load),
    )


def examine(
    connection: psycopg.Connection[Any],
    *,
    plan: DatabasePlan,
    workload: Workload,
    settings: TenantSettings,
    relations: Mapping[str, Collection[str]],
    observation: Observation,
    load: LoadFigures,
) -> Diagnosis:
    """Look for what explains a run, while the rows that it wrote are still there; what is tried is taken back.

    It takes little more than `DIAGNOSIS_SECONDS` at most and raises nothing of the database: what could not be looked at is
    told. A server that does not answer any more costs the connection.

    Args:
        connection: In autocommit mode, outside of a transaction.
        plan: Of the run.
        workload: Of the statements as they were checked; draws their parameters.
        settings: Make a transaction one of a tenant.
        relations: ``schema.table`` that each statement reads or writes.
        observation: What was seen of the server during the load.
        load: The load's own figures.
    """
    catalog = Catalog()
    plans: tuple[CapturedPlan, ...] = ()
    absent: list[str] = []
    try:
        with bounded(connection, DIAGNOSIS_SECONDS + PATIENCE_SECONDS):
            allowance = Allowance(DIAGNOSIS_SECONDS / 2)
            catalog, reason = _look_up(connection, relations, settings, allowance)
            absent += reason
            allowance = Allowance(DIAGNOSIS_SECONDS / 2)
            plans, reasons = capture_plans(
                connection,
                _as_they_matter(workload.statements, load)[:_MOST_CAPTURED],
                workload,
                settings,
                own=plan.mix.own_rows,
                allowance=allowance,
            )
            absent += reasons
    except (psycopg.Error, OSError) as error:
        absent.append(f"the server: {reason_of(error)}")
    scanned = frozenset(each.statement for each in plans if any(wasteful_scans(each, catalog)))
    guarded = bool(plan.mix.tenant_settings)
    findings = (
        *statement_findings(plans, load, plan, explained=scanned),
        *scan_findings(plans, catalog),
        *policy_findings(catalog),
        *(unprotected_tables(catalog, plans, relations) if guarded else ()),
        *index_findings(catalog, wanted_indexes(plans, catalog)),
        *limit_findings(plan, load, observation),
    )
    return Diagnosis(findings, slowest(plans, load), tuple(absent))


def _look_up(
    connection: psycopg.Connection[Any],
    relations: Mapping[str, Collection[str]],
    settings: TenantSettings,
    allowance: Allowance,
) -> tuple[Catalog, list[str]]:
    names = {name for tables in relations.values() for name in tables}
    try:
        with allowance.transaction(connection):
            return read_catalog(connection, names, role=settings.role, calls=called_functions), []
    except (psycopg.Error, TimeIsUpError) as error:
        return Catalog(), [f"tables, indexes and policies: {reason_of(error)}"]


def _as_they_matter(statements: Sequence[Statement], load: LoadFigures) -> list[Statement]:
    """Those that took most of the time first."""
    order = {name: place for place, name in enumerate(slowest_first(load))}
    return sorted(statements, key=lambda each: order.get(each.name, len(order)))
