"""Whether the plan's statements run, and whether row-level security binds whoever asks them: tried and taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

import psycopg

from nightbench.database.checking.checks import check_workload
from nightbench.database.connection import bounded
from nightbench.database.housekeeping.permission import check_permission, check_roles
from nightbench.database.housekeeping.tags import tag_of
from nightbench.database.provisions import load_provisions
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Workload, policy_statement, statements_of
from nightbench.doctor.database import LOOK_SECONDS, connected, is_at_work
from nightbench.doctor.finding import Finding, Topic
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan
from nightbench.settings import Settings

STATEMENTS = Topic("subject", "statements")
ROLE = Topic("subject", "role")
POLICIES = Topic("subject", "row-level security")

SECONDS = 6.5
"""Of the check: each statement is tried as two tenants, over a network that may be slow."""

_WHO = "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
_SECURED = """
SELECT n.nspname || '.' || c.relname, c.relrowsecurity FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname || '.' || c.relname = ANY (%s) ORDER BY 1
"""
_APPLICATION = "set workload.tenant_settings.role to the role of the application's requests, or use its DSN"


def judge_role(role: str, *, is_super: bool, bypasses: bool) -> Finding:
    """Whether policies bind a role at all."""
    if is_super:
        return ROLE.failure(f"{role} is a superuser: no policy binds it", _APPLICATION)
    if bypasses:
        return ROLE.failure(f"{role} has BYPASSRLS: no policy binds it", _APPLICATION)
    return ROLE.ok(f"transactions are those of {role}: no superuser, and without BYPASSRLS")


def judge_policies(secured: Mapping[str, bool], unbound: str) -> Finding:
    """Whether the tables that the statements touch keep tenants apart.

    Args:
        secured: Whether row-level security is enabled, by ``schema.table``.
        unbound: Why policies do not bind who asks, as the suite's own check says it; empty when they do.
    """
    if unbound:
        return POLICIES.failure(unbound, _APPLICATION)
    bare = [table for table, enabled in secured.items() if not enabled]
    if bare:
        why = f"not enabled in {', '.join(bare)}: rows of other tenants that are read there fail the night"
        return POLICIES.warning(why, f"ALTER TABLE {bare[0]} ENABLE ROW LEVEL SECURITY, with a policy")
    tables = "the one table" if len(secured) == 1 else f"all {len(secured)} tables"
    return POLICIES.ok(f"enabled in {tables} that the statements touch")


def statement_findings(settings: Settings, plan: DatabasePlan) -> Iterator[Finding]:
    """Try the workload as the suite does before a load; not while a run is at work, nor where it may not write.

    What cannot be reached is told by the check of the server, with the way out.
    """
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(connected(settings))
        except ConfigurationError:
            return
        held = stack.pop_all()
    try:
        with held:
            yield from _findings(connection, settings, plan)
    except ConfigurationError as error:
        yield STATEMENTS.warning(f"not tried: {error.problem}", error.way_out or f"mend {error.setting}")


def _findings(connection: psycopg.Connection, settings: Settings, plan: DatabasePlan) -> Iterator[Finding]:
    tenant_settings = TenantSettings(plan.mix.tenant_settings)
    tenants = load_provisions(plan).tenants
    yield _role(connection, tenant_settings, tenants[0])
    if is_at_work(connection):
        yield STATEMENTS.ok("not tried: a run is at work in this database")
        return
    try:
        check_permission(connection, plan.mix, allowed=settings.database_allowed)
    except ConfigurationError:
        yield STATEMENTS.warning("not tried: nobody has allowed writing there", "nightbench database prepare")
        return
    yield from _tried(connection, plan, tenant_settings, tenants)


def _role(connection: psycopg.Connection, settings: TenantSettings, tenant: str) -> Finding:
    try:
        with bounded(connection, LOOK_SECONDS), connection.transaction(force_rollback=True):
            settings.apply(connection, tenant)
            row = connection.execute(_WHO).fetchone()
    except psycopg.Error as error:
        return ROLE.failure(f"a transaction cannot become one of a tenant: {error}", _APPLICATION)
    assert row is not None
    return judge_role(row[0], is_super=row[1], bypasses=row[2])


def _tried(
    connection: psycopg.Connection, plan: DatabasePlan, settings: TenantSettings, tenants: Sequence[str]
) -> Iterator[Finding]:
    provisions = load_provisions(plan)
    workload = Workload(
        statements_of(plan.mix, provisions),
        tenants,
        seed=plan.seed,
        tag=tag_of("doctor", tenants=len(tenants)),
    )
    policy = policy_statement(plan.mix, provisions)
    try:
        checked = check_workload(connection, workload, settings, plan=plan, policy=policy)
    except ConfigurationError as error:
        yield STATEMENTS.failure(
            f"{error.setting}: {error.problem}", error.way_out or f"mend {error.setting}"
        )
        return
    except psycopg.Error as error:
        mend = (
            "prepare it with the tables of the workload, name your own with --plan, or mend the role's rights"
        )
        yield STATEMENTS.failure(f"{error}", mend)
        return
    yield STATEMENTS.ok(f"all {len(checked.statements)} of the plan ran as two tenants, and were taken back")
    unbound = ""
    try:
        with bounded(connection, LOOK_SECONDS):
            check_roles(connection, plan.mix, settings, checked.relations, tenants[0])
    except ConfigurationError as error:
        unbound = f"{error.value}: {error.problem}"
    tables = sorted(frozenset[str]().union(*checked.relations.values()))
    with bounded(connection, LOOK_SECONDS):
        rows = connection.execute(_SECURED, (tables,)).fetchall()
    yield judge_policies(dict(rows), unbound)
