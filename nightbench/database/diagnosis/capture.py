"""The plans of a workload's statements, from running each once more as a tenant and taking it back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from nightbench.database.diagnosis.attempts import NotLookedAtError, reason_of
from nightbench.database.diagnosis.plans import CapturedPlan
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Statement, Workload
from nightbench.plan.workload import OwnRows

STATEMENT_SECONDS = 5.0
"""How long one statement may take, with all that its triggers do."""
LOCK_SECONDS = 1.0
_LONGEST_DECK = 10_000  # the weights of a plan add up to no more
_PLAN = "EXPLAIN "
_EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, FORMAT JSON) "

TIME_IS_UP = "the time for it was up"


class TimeIsUpError(NotLookedAtError):
    """Nothing was left of the time that all of it may take."""

    def __init__(self) -> None:
        super().__init__(TIME_IS_UP)


class Allowance:
    """The time that all statements of a diagnosis may take together, in seconds."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """What of it is left."""
        return max(0.0, self._end - time.monotonic())

    @contextmanager
    def transaction(self, connection: psycopg.Connection[Any]) -> Iterator[None]:
        """A transaction that is taken back whatever comes of it, each of its statements bounded.

        Raises:
            TimeIsUpError: when nothing is left.
        """
        if (seconds := min(STATEMENT_SECONDS, self.left)) < 0.01:  # 0 ms would mean no limit
            raise TimeIsUpError
        with connection.transaction(force_rollback=True):
            connection.execute(
                "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)",
                (f"{round(seconds * 1000)}ms", f"{round(min(seconds, LOCK_SECONDS) * 1000)}ms"),
            )
            yield


def capture_plans(
    connection: psycopg.Connection[Any],
    statements: Sequence[Statement],
    workload: Workload,
    settings: TenantSettings,
    *,
    own: OwnRows | None,
    allowance: Allowance,
) -> tuple[tuple[CapturedPlan, ...], tuple[str, ...]]:
    """The plan of each statement with the parameters of its first operation, and why some have none.

    Args:
        connection: In autocommit mode, outside of a transaction.
        statements: In the order in which they matter.
        workload: Draws the parameters.
        settings: Make a transaction one of a tenant.
        own: Inserts the row that a statement changes, which is taken back with it.
        allowance: Of time.
    """
    plans, absent = [], []
    for place, statement in enumerate(statements):
        try:
            with allowance.transaction(connection):
                plans.append(_capture(connection, statement, workload, settings, own))
        except TimeIsUpError:
            names = ", ".join(each.name for each in statements[place:])
            absent.append(f"the plans of {names}: {TIME_IS_UP}")
            break
        except Exception as error:  # noqa: BLE001  # the plans of the others are still to be had
            absent.append(f"the plan of {statement.name}: {reason_of(error)}")
            if connection.closed:
                break
    return tuple(plans), tuple(absent)


def _capture(
    connection: psycopg.Connection[Any],
    statement: Statement,
    workload: Workload,
    settings: TenantSettings,
    own: OwnRows | None,
) -> CapturedPlan:
    index = next(
        (each for each in range(_LONGEST_DECK) if workload.statement(each).name == statement.name), None
    )
    if index is None:
        raise NotLookedAtError("no operation runs it")
    tenant = workload.tenant(index)
    settings.apply(connection, tenant)
    key = _own_row(connection, own, tenant, workload.tag) if statement.uses_own_row else None
    parameters = workload.parameters(index, tenant=tenant, own_row=key)
    # a connection that plans for the first time has the catalog to read: that is nothing of the statement's
    connection.execute((_PLAN + statement.sql).encode(), parameters)
    found = connection.execute((_EXPLAIN + statement.sql).encode(), parameters).fetchone()
    assert found is not None
    return CapturedPlan(statement.name, statement.tenant_column, statement.tenant_index, found[0][0])


def _own_row(connection: psycopg.Connection[Any], own: OwnRows | None, tenant: str, tag: str) -> object:
    """The key of a row that the transaction inserts and takes back."""
    if own is None or own.insert is None:
        raise NotLookedAtError("there is no row of the run's own to change")
    row = connection.execute(own.insert.encode(), {"tenant": tenant, "tag": tag}).fetchone()
    if row is None:
        raise NotLookedAtError("inserting a row for it gave no key")
    return row[0]
