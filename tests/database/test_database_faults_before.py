"""What is broken before the load: told as a wrong setting with the way out, and nothing is written."""

from dataclasses import dataclass, field

import pytest
from faulting import allow_connections, fault, load_with, locked, triggered
from psycopg.conninfo import conninfo_to_dict

from nightbench.database.connection import SETTING
from nightbench.database.housekeeping import own_rows
from nightbench.errors import ConfigurationError, ExitCode


@dataclass(frozen=True)
class Fault:
    """Something that is broken, and what is said of it."""

    problem: str
    way_out: str
    breaks: tuple = ()
    mends: tuple = ()
    dsn: dict = field(default_factory=dict)
    plan: dict = field(default_factory=dict)


TABLES = "prepare it with the tables of the workload"
RIGHTS = "the role must be allowed to connect"
FAULTS = {
    "refused": Fault("Connection refused", "check that the server runs", dsn={"port": 1}),
    "unknown host": Fault("resolve host", "check that the server runs", dsn={"host": "nowhere.invalid"}),
    "wrong password": Fault("authentication failed", "mend the password", dsn={"password": "wr0ng"}),
    "no password": Fault("no password supplied", "mend the password", dsn={"password": ""}),
    "unknown database": Fault("does not exist", "name an existing database", dsn={"dbname": "nowhere"}),
    "closed database": Fault(
        "not currently accepting connections",
        "ALLOW_CONNECTIONS true",
        (allow_connections(allow=False),),
        (allow_connections(allow=True),),
    ),
    "no log-in": Fault(
        "is not permitted to log in",
        "use a role that may log in",
        ("ALTER ROLE authenticator NOLOGIN",),
        ("ALTER ROLE authenticator LOGIN",),
    ),
    "nobody may connect": Fault(
        "permission denied for database",
        RIGHTS,
        ("REVOKE CONNECT ON DATABASE pam FROM public",),
        ("GRANT CONNECT ON DATABASE pam TO public",),
    ),
    "too many connections": Fault(
        "too many connections",
        "lower --pool-size",
        ("ALTER ROLE authenticator CONNECTION LIMIT 0",),
        ("ALTER ROLE authenticator CONNECTION LIMIT -1",),
    ),
    "too many connections for the pool": Fault(
        "too many connections",
        "lower --pool-size",
        ("ALTER ROLE authenticator CONNECTION LIMIT 4",),
        ("ALTER ROLE authenticator CONNECTION LIMIT -1",),
        plan={"workers": 8},
    ),
    "statement time-out": Fault(
        "due to statement timeout",
        "see what else is at work",
        *triggered("UPDATE", "PERFORM pg_sleep(60)"),
        plan={"statement_timeout": 0.5},
    ),
    "read-only server": Fault(
        "read-only transaction",
        "that can be written to",
        ("ALTER ROLE authenticator SET default_transaction_read_only = on",),
        ("ALTER ROLE authenticator RESET default_transaction_read_only",),
    ),
    "disk full": Fault(
        "could not extend file",
        "make room",
        *triggered("INSERT", "RAISE 'could not extend file' USING ERRCODE = 'disk_full'"),
    ),
    "table missing": Fault(
        "does not exist",
        TABLES,
        ("ALTER TABLE messages RENAME TO gone",),
        ("ALTER TABLE gone RENAME TO messages",),
    ),
    "column of another type": Fault(
        "invalid input syntax for type integer",
        TABLES,
        ("ALTER TABLE expenses RENAME description TO kept; ALTER TABLE expenses ADD description integer",),
        ("ALTER TABLE expenses DROP description; ALTER TABLE expenses RENAME kept TO description",),
    ),
    "role without grants": Fault(
        "permission denied for table profiles",
        RIGHTS,
        ("REVOKE SELECT ON profiles FROM authenticated",),
        ("GRANT SELECT ON profiles TO authenticated",),
    ),
}


def address(dsn, **changes):
    """The DSN with other parts."""
    return "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(
        **{**conninfo_to_dict(dsn), **changes}
    )


def tagged(postgres):
    ((rows,),) = postgres.execute("SELECT count(*) FROM expenses WHERE source LIKE 'nightbench:%'")
    return rows


def check_told(dsn, error, problem, way_out):
    assert error.exit_code == ExitCode.WRONG_USE
    assert error.setting == SETTING
    assert problem in error.problem
    assert way_out in error.way_out
    assert conninfo_to_dict(dsn).get("password", "wr0ng") not in str(error)


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_broken_is_told_with_the_way_out(postgres, monkeypatch, name):
    case = FAULTS[name]
    if "statement_timeout" in case.plan:
        monkeypatch.setattr(own_rows, "STATEMENT_SECONDS", 0.5)
    dsn, before = address(postgres.dsn, **case.dsn), tagged(postgres)
    with fault(postgres, case.breaks, case.mends) as (breaks, _):
        breaks()
        with pytest.raises(ConfigurationError) as caught:
            load_with(dsn, {}, **case.plan)
    check_told(dsn, caught.value, case.problem, case.way_out)
    assert tagged(postgres) == before


def test_a_lock_that_somebody_holds_is_told_with_the_way_out(postgres, monkeypatch):
    monkeypatch.setattr(own_rows, "STATEMENT_SECONDS", 0.5)
    before = tagged(postgres)
    with locked(postgres, "expenses", "ACCESS EXCLUSIVE") as (lock, _):
        lock()
        with pytest.raises(ConfigurationError) as caught:
            load_with(postgres.dsn, {}, statement_timeout=0.5)
    check_told(postgres.dsn, caught.value, "due to statement timeout", "see what else is at work")
    assert tagged(postgres) <= before
