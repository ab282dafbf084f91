"""After the load: why it was as it was, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import psycopg

from nightbench.database.connection import bounded
from nightbench.database.diagnosis.attempts import Attempts
from nightbench.database.diagnosis.capture import Allowance, capture_plans
from nightbench.database.diagnosis.catalog import Catalog, read_catalog
from nightbench.database.diagnosis.figures import LoadFigures
from nightbench.database.diagnosis.indexes import index_findings
from nightbench.database.diagnosis.limits import limit_findings
from nightbench.database.diagnosis.plans import CapturedPlan
from nightbench.database.diagnosis.policies import called_functions, policy_findings, unprotected_tables
from nightbench.database.diagnosis.scans import scan_findings, wanted_indexes, wasteful_scans
from nightbench.database.diagnosis.statements import slowest, slowest_first, statement_findings
from nightbench.database.finding import Diagnosis, Finding
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
    """Look for what explains a run, while the rows that it wrote are still there; what is tried is taken back.

    It takes little more than `DIAGNOSIS_SECONDS` at most and raises nothing: what could not be looked at is told.
    A server that does not answer any more costs the connection.

    Args:
        connection: In autocommit mode, outside of a transaction.
        plan: Of the run.
        workload: Of the statements as they were checked; draws their parameters.
        settings: Make a transaction one of a tenant.
        relations: ``schema.table`` that each statement reads or writes.
        observation: What was seen of the server during the load.
        load: What its generators saw.
    """
    attempts = Attempts()
    figures = attempts.at("the load's own figures", lambda: LoadFigures.of(load), LoadFigures(0.0, 0))
    catalog = Catalog()
    plans: tuple[CapturedPlan, ...] = ()
    with attempts.of("the server"), bounded(connection, DIAGNOSIS_SECONDS + PATIENCE_SECONDS):
        with attempts.of("tables, indexes and policies"):
            catalog = _look_up(connection, relations, settings)
        plans, reasons = capture_plans(
            connection,
            _as_they_matter(workload.statements, figures)[:_MOST_CAPTURED],
            workload,
            settings,
            own=plan.mix.own_rows,
            allowance=Allowance(DIAGNOSIS_SECONDS / 2),
        )
        attempts.absent += reasons
    findings: list[Finding] = []
    for what, rule in _rules(
        plan, plans, catalog, relations=relations, observation=observation, load=figures
    ):
        with attempts.of(what):
            findings += rule()
    return Diagnosis(
        tuple(findings),
        attempts.at("the slowest statements", lambda: slowest(plans, figures), ()),
        tuple(attempts.absent),
    )


def _rules(
    plan: DatabasePlan,
    plans: Sequence[CapturedPlan],
    catalog: Catalog,
    *,
    relations: Mapping[str, Collection[str]],
    observation: Observation,
    load: LoadFigures,
) -> tuple[tuple[str, Callable[[], Iterable[Finding]]], ...]:
    """Each rule with what it is about."""

    def of_statements() -> Iterable[Finding]:
        scanned = frozenset(each.statement for each in plans if any(wasteful_scans(each, catalog)))
        return statement_findings(plans, load, plan, explained=scanned)

    def of_open_tables() -> Iterable[Finding]:
        return unprotected_tables(catalog, plans, relations) if plan.mix.tenant_settings else ()

    return (
        ("single statements", of_statements),
        ("sequential scans", lambda: scan_findings(plans, catalog)),
        ("policies", lambda: policy_findings(catalog)),
        ("tables without a policy", of_open_tables),
        ("indexes", lambda: index_findings(catalog, wanted_indexes(plans, catalog))),
        ("what limited the load", lambda: limit_findings(plan, load, observation)),
    )


def _look_up(
    connection: psycopg.Connection[Any],
    relations: Mapping[str, Collection[str]],
    settings: TenantSettings,
) -> Catalog:
    names = {name for tables in relations.values() for name in tables}
    with Allowance(DIAGNOSIS_SECONDS / 2).transaction(connection):
        return read_catalog(connection, names, role=settings.role, calls=called_functions)


def _as_they_matter(statements: Sequence[Statement], load: LoadFigures) -> list[Statement]:
    """Those that took most of the time first."""
    order = {name: place for place, name in enumerate(slowest_first(load))}
    return sorted(statements, key=lambda each: order.get(each.name, len(order)))
