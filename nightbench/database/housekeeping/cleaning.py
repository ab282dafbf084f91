"""Removing what crashed runs left behind, without a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nightbench.allowed import Place
from nightbench.database.checking.checks import as_configuration_errors
from nightbench.database.housekeeping.own_rows import exclusive_connection, remove_left_over
from nightbench.database.housekeeping.permission import check_writable, place_of
from nightbench.database.provisions import load_provisions
from nightbench.database.tenancy import TenantSettings
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan

_ALL = 1_000_000
"""The most tenants that a plan has."""


def clean_database(
    dsn: str, plan: DatabasePlan, *, allowed: Sequence[str], on_batch: Callable[[], None] = lambda: None
) -> tuple[Place, int]:
    """Remove the tagged rows of every run of the plan's workload; where they were, and how many.

    Args:
        dsn: The database, as a run has it.
        plan: Whose workload says where the rows are. Every tenant of a tenants file is looked at.
        allowed: The entries of the allow-list.
        on_batch: Called after each batch of tenants.

    Raises:
        ConfigurationError: when it cannot be reached, nobody has allowed it, or a run is at work there.
    """
    own_rows = plan.mix.own_rows
    if own_rows is None:
        problem = "a workload that writes nothing leaves nothing behind"
        raise ConfigurationError("workload.own_rows", None, problem, "give the plan of the runs with --plan")
    if plan.mix.tenants_file is not None:
        plan = plan.model_copy(update={"tenants": _ALL})
    tenants = load_provisions(plan).tenants
    with (
        as_configuration_errors(dsn),
        exclusive_connection(dsn, statement_timeout=plan.statement_timeout) as connection,
    ):
        check_writable(connection, allowed=allowed)
        settings = TenantSettings(plan.mix.tenant_settings)
        removed = remove_left_over(connection, own_rows, settings, tenants, on_batch=on_batch)
        return place_of(connection), removed
