"""The parts of a transaction, by a clock that moves when something is done."""

import pytest

from nightbench.database import session
from nightbench.database.session import Sessions
from nightbench.database.workload import Statement
from nightbench.plan import DatabasePlan
from nightbench.tenants import tenant_id

READ = Statement("read", "read", 1, "SELECT", lambda _draw: {})


class Connection:
    """One whose calls take a known time each."""

    rowcount = 1

    def __init__(self, clock):
        self._clock = clock

    def cursor(self):
        return self

    def execute(self, *_):
        self._clock.now += 10

    def fetchall(self):
        return [(tenant_id(1),)]

    def commit(self):
        self._clock.now += 100


class Clock:
    now = 0


@pytest.fixture
def timed(monkeypatch):
    """A session with a clock and a connection of our own, whose return to the pool takes 1000."""
    clock = Clock()
    monkeypatch.setattr(session, "_clock", lambda: clock.now)

    def check_in(_sessions, _connection, *, failed=False):
        clock.now += 1000

    monkeypatch.setattr(Sessions, "_check_out", lambda _sessions: Connection(clock))
    monkeypatch.setattr(Sessions, "_check_in", check_in)
    sessions = Sessions("postgresql://u:p@127.0.0.1:1/db", DatabasePlan(queries=1, workers=1))
    yield sessions
    sessions.close()


def test_the_commit_time_is_that_of_the_commit(timed):
    done = timed.transact(READ, {}, tenant_id(1))
    assert done.error is None
    assert (done.began - done.acquired, done.executed - done.began, done.committed - done.executed) == (
        10,
        10,
        100,
    )


def test_a_transaction_ends_with_its_commit_and_its_parts_add_up(timed):
    done = timed.transact(READ, {}, tenant_id(1))
    assert done.last == done.committed == 120


def test_one_that_fails_ends_when_its_connection_is_back(timed, monkeypatch):
    def refuse(_connection):
        raise RuntimeError

    monkeypatch.setattr(Connection, "commit", refuse)
    done = timed.transact(READ, {}, tenant_id(1))
    assert done.error == "runtimeerror"
    assert done.last == done.committed == 1020
