"""Before any load: can this database be the subject? And what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from nightbench.database.checking.trial import Trial
from nightbench.database.connection import SETTING
from nightbench.database.housekeeping.own_rows import housekeeping_connection
from nightbench.database.sqlstate import sqlstate_of
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Statement, Workload
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan
from nightbench.scrub import scrub, scrub_address

REACHABLE_SECONDS = 5

_FACTS = ("server_version", "max_connections", "shared_buffers", "fsync", "synchronous_commit")

_TABLES = "prepare it with the tables of the workload, or load the embedded reference"

_WAYS_OUT: dict[str, str] = {
    "28P01": "mend the password",
    "28000": "use a role that may log in",
    "3D000": "name an existing database",
    "42P01": _TABLES,
    "42703": _TABLES,
    "42804": _TABLES,
    "42883": _TABLES,
    "22P02": _TABLES,
    "42501": "the role must be allowed to connect and to become that of the tenant settings, "
    "and that one to use the tables",
    "22023": "create the role of the tenant settings, or load the embedded reference",
    "25006": "load a server that can be written to, such as its primary",
    "53100": "make room on the server's disk",
    "53300": "lower --pool-size and --max-overflow",
    "55000": "ALTER DATABASE … ALLOW_CONNECTIONS true lets it be used again",
    "57014": "see what else is at work in the database",
    "57P03": "wait until it is up",
}


@contextmanager
def as_configuration_errors(dsn: str) -> Iterator[None]:
    """Tell what the server refuses before any load as a wrong setting, with the way out."""
    try:
        yield
    except psycopg.Error as error:
        problem = scrub(" ".join(str(error).split()))
        way_out = _WAYS_OUT.get(
            sqlstate_of(error) or "", "check that the server runs and the address is right"
        )
        raise ConfigurationError(SETTING, scrub_address(dsn), problem, way_out) from None
    except UnicodeError:  # from the look-up of a host; its text may repeat pieces of the DSN
        problem = "its host is nothing that can be looked up"
        raise ConfigurationError(SETTING, scrub_address(dsn), problem, "mend the address") from None


def check_reachable(dsn: str) -> None:
    """Connect once and leave again, before anything else is begun.

    Raises:
        ConfigurationError: when the server cannot be reached or refuses, with the way out.
    """
    with as_configuration_errors(dsn), housekeeping_connection(dsn, connect_timeout=REACHABLE_SECONDS):
        pass


@dataclass(frozen=True)
class Checked:
    """What the server told of a workload.

    Attributes:
        statements: With the places of their tenant columns.
        relations: The tables that each statement reads or writes, ``schema.table`` by its name; see `Relations`.
    """

    statements: tuple[Statement, ...]
    relations: Mapping[str, frozenset[str]]


def check_workload(
    connection: psycopg.Connection,
    workload: Workload,
    settings: TenantSettings,
    *,
    plan: DatabasePlan,
    policy: Statement | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> Checked:
    """Try all SQL of a plan before any load, and take it back.

    Each statement is parsed and explained, then run as the first tenant with the lowest values of its parameters
    and as the last one with the highest; a read in a READ ONLY transaction, unless it locks rows. What a write
    has written has to carry the tag, and has to be removable by it. A read that has to find rows and draws no parameters tells whether
    the subject knows those tenants.

    Args:
        connection: In autocommit mode, with a statement_timeout. Each piece of SQL is bounded by itself.
        workload: Of the statements as the plan has them.
        settings: Make a transaction that of a tenant.
        plan: Where the SQL is from.
        policy: The read that tells what the policies cost; that of the default workload is looked at by those
            who run it, since a subject need not have the role.
        on_step: Called after each piece of SQL, which takes as long as two statements may take at most.

    Raises:
        ConfigurationError: naming the field that is wrong, with what the server said and the way out.
        psycopg.Error: what the server has against the default workload, or of the connection.
    """
    trial = Trial(connection, workload, settings, plan, on_step)
    mix = plan.mix
    if mix.own_rows is not None:
        trial.own_rows(mix.own_rows)
    statements = list(workload.statements)
    relations: dict[str, frozenset[str]] = {}
    # those that tell of tenants first: what others say of a tenant that is not there is no help
    for place in sorted(range(len(statements)), key=lambda place: not _tells_tenants(statements[place])):
        statements[place], found = trial.statement(place, statements[place])
        relations[statements[place].name] = found.all
    if policy is not None and mix.policy_cost is not None and plan.workload is not None:
        trial.policy(policy, mix.policy_cost.role)
    return Checked(tuple(statements), {each.name: relations[each.name] for each in statements})


def _tells_tenants(statement: Statement) -> bool:
    return statement.kind == "read" and statement.min_rows > 0 and not statement.sources.drawn


def server_facts(connection: psycopg.Connection) -> dict[str, str]:
    """Version and the settings that change what a benchmark sees."""
    row = connection.execute(
        "SELECT " + ", ".join(f"current_setting('{name}')" for name in _FACTS)  # constants
    ).fetchone()
    assert row is not None
    return dict(zip(_FACTS, row, strict=True))
