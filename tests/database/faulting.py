"""A stress test in which something breaks at one operation and is mended at another, and a server that goes away."""

import itertools
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from running import load

from nightbench.database import workers
from nightbench.database.housekeeping import own_rows
from nightbench.database.result import DatabaseResult
from nightbench.reference.programs import command

DROP_ALL = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'nightbench'"
)
"""Ends the connections of the load, and no other."""


@dataclass(frozen=True)
class Story:
    """What came of a run.

    Attributes:
        errors: How each operation that counts ended, its error or None, in the order in which they began.
        before: The same of those that had ended before the first step.
        uncounted: The same of the warm-up, which goes on for the moment before the first operation that counts is due.
    """

    result: DatabaseResult
    errors: list
    before: list
    uncounted: list


def load_with(dsn, steps, **plan):
    """A closed run of few tenants that takes each of `steps` just before the operation of its number begins.

    Operations that are due meanwhile wait until a step is done.
    """
    gate, numbers = threading.Lock(), itertools.count()
    errors, before, uncounted = {}, [], []
    operate = workers.Workers._operate

    def step(number):
        if number == min(steps, default=None):
            before.extend(errors.values())
        if number in steps:
            steps[number]()

    def stepping(those, worker, turn, *, ready):
        if turn.counted is None:
            error = operate(those, worker, turn, ready=ready)
            uncounted.append(error)
            return error
        with gate:
            number = next(numbers)
            step(number)
        errors[number] = operate(those, worker, turn, ready=ready)
        return errors[number]

    plan = {"model": "closed", "rate": None, "warmup": 0, "tenants": 5, **plan}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(workers.Workers, "_operate", stepping)
        patched.setattr(workers, "LONGEST_PAUSE_SECONDS", 0.1)
        patched.setattr(own_rows, "TENANTS", plan["tenants"])
        result = load(dsn, **plan)
    return Story(result, [error for _, error in sorted(errors.items())], before, uncounted)


@contextmanager
def fault(server, breaks, mends):
    """Two functions: one breaks something and one mends it, which the end of the block does at the latest."""
    broken = []

    def break_it():
        broken.append(True)
        _all(server, breaks)

    def mend_it():
        if broken:
            _all(server, mends)
            broken.clear()

    try:
        yield break_it, mend_it
    finally:
        mend_it()


def _all(server, actions):
    """Statements, each in a transaction of its own, or functions of the server."""
    for action in actions:
        if callable(action):
            action(server)
        else:
            server.execute(action)


def triggered(event, body):
    """What makes a trigger on the expenses, and what removes it."""
    made = (
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
        f"$$ BEGIN {body}; RETURN NEW; END $$;"
        f"CREATE TRIGGER broken BEFORE {event} ON expenses FOR EACH ROW EXECUTE FUNCTION broken()"
    )
    return (made,), ("DROP TRIGGER broken ON expenses; DROP FUNCTION broken()",)


def reload(server):
    """Its settings, which every session has before its next statement when a new one has them."""
    ((before,),) = server.execute("SELECT clock_timestamp()::text")
    server.execute("SELECT pg_reload_conf()")
    server.wait_until(f"SELECT pg_conf_load_time() > '{before}'")


def set_password(server):
    """The one of the DSN."""
    given = conninfo_to_dict(server.dsn)
    server.execute(f"ALTER ROLE {given['user']} PASSWORD '{given['password']}'")


def rename_database(old, new):
    """A function of the server: the database gets another name, and who is connected to it is thrown out."""

    def rename(server):
        _beside(
            server,
            f"ALTER DATABASE {old} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{old}'",
            f"ALTER DATABASE {old} RENAME TO {new}",
            f"ALTER DATABASE {new} ALLOW_CONNECTIONS true",
        )

    return rename


def _beside(server, *statements):
    """As the superuser in another database, each in a transaction of its own."""
    dsn = make_conninfo(**{**conninfo_to_dict(server.admin_dsn), "dbname": "postgres"})
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def allow_connections(allow):
    """A function of the server: whether anybody may connect to the database."""
    return lambda server: _beside(server, f"ALTER DATABASE pam ALLOW_CONNECTIONS {allow}")


@contextmanager
def locked(server, table, mode="SHARE ROW EXCLUSIVE"):
    """Two functions: one locks a table, against writes unless told else; one lets go of it, as the end of the block does."""
    with psycopg.connect(server.admin_dsn) as connection:
        yield lambda: connection.execute(f"LOCK TABLE {table} IN {mode} MODE"), connection.rollback


@contextmanager
def outage(server):
    """Two functions: one stops a server, one starts it again on its port, as the end of the block does at the latest."""
    stopped = []

    def stop():
        stopped.append(True)
        _pg_ctl(server, "stop", "--mode=fast")

    def start():
        _pg_ctl(server, "start", f"--log={server.folder / 'restarted.log'}", f"--options=-p {server.port}")
        stopped.clear()

    try:
        yield stop, start
    finally:
        if stopped:
            start()


def _pg_ctl(server, *arguments):
    """It returns when the server is up, or gone; the fixture ends whatever runs on its folder."""
    called = command("pg_ctl", *arguments, f"--pgdata={server.folder / 'data'}", "--wait", "--silent")
    subprocess.run(called, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
