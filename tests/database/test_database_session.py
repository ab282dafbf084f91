"""The parts of a transaction, by a clock that moves when something is done."""

from dataclasses import replace

import pytest

from nightbench.database import session
from nightbench.database.session import Sessions
from nightbench.database.workload import Statement
from nightbench.load.shard import Shard
from nightbench.plan import DatabasePlan

READ = Statement("read", "read", 1, "SELECT", tenant_index=0, tenant_as_text=True)


class Answer:
    """What was read."""

    def __init__(self, rows):
        self.rows = lambda: rows
        self.count = len(rows)


class Wire:
    """One whose round trips take a known time each."""

    encoding = "utf-8"

    def __init__(self, clock):
        self._clock = clock

    def begin(self, _values, *, read_only):
        self._clock.now += 10

    def run(self, _statement, _parameters):
        self._clock.now += 20
        return Answer([("ann",)])

    def commit(self):
        self._clock.now += 100


class Connection:
    """That of the pool to which the wire belongs."""

    def __init__(self, clock):
        self.info = {session.WIRE: Wire(clock)}


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
    sessions = Sessions("postgresql://u:p@127.0.0.1:1/db", DatabasePlan(queries=1, workers=1), Shard())
    yield sessions
    sessions.close()


def test_the_commit_time_is_that_of_the_commit(timed):
    done = timed.transact(READ, {}, "ann")
    assert done.error is None
    assert (done.began - done.acquired, done.executed - done.began, done.committed - done.executed) == (
        10,
        20,
        100,
    )


def test_a_transaction_ends_with_its_commit_and_its_parts_add_up(timed):
    done = timed.transact(READ, {}, "ann")
    assert done.last == done.committed == 130


def test_one_that_fails_ends_when_its_connection_is_back(timed, monkeypatch):
    def refuse(_wire):
        raise RuntimeError

    monkeypatch.setattr(Wire, "commit", refuse)
    done = timed.transact(READ, {}, "ann")
    assert done.error == "runtimeerror"
    assert done.last == done.committed == 1030


@pytest.mark.parametrize(("owner", "leaked"), [("ann", 0), ("bob", 1)])
@pytest.mark.parametrize("as_text", [True, False])
def test_a_row_of_another_tenant_is_a_leak(timed, monkeypatch, owner, leaked, as_text):
    monkeypatch.setattr(Wire, "run", lambda *_: Answer([("ann",), (owner,)]))
    done = timed.transact(replace(READ, tenant_as_text=as_text), {}, "ann")
    assert (done.leaked, done.error) == (leaked, "tenant_leak" if leaked else None)


def test_a_row_without_a_tenant_is_nobodys_leak(timed, monkeypatch):
    rows = [("ann",), (None,), ("bob",), (None,)]
    monkeypatch.setattr(Wire, "run", lambda *_: Answer(rows))
    for as_text in (True, False):
        assert timed.transact(replace(READ, tenant_as_text=as_text), {}, "ann").leaked == 1


@pytest.mark.parametrize(
    ("kind", "locks", "read_only"), [("read", False, True), ("read", True, False), ("write", False, False)]
)
def test_a_read_has_a_transaction_that_cannot_write(timed, monkeypatch, kind, locks, read_only):
    begun = []
    monkeypatch.setattr(Wire, "begin", lambda *_, **how: begun.append(how))
    timed.transact(replace(READ, kind=kind, locks_rows=locks), {}, "ann")
    assert begun == [{"read_only": read_only}]


@pytest.mark.parametrize(("count", "committed"), [(0, False), (1, True), (2, False)])
def test_a_write_of_too_many_rows_or_too_few_is_never_committed(timed, monkeypatch, count, committed):
    commits = []
    monkeypatch.setattr(Wire, "run", lambda *_: Answer([("ann",)] * count))
    monkeypatch.setattr(Wire, "commit", lambda _wire: commits.append(1))
    write = replace(READ, kind="write", min_rows=1, max_rows=1)
    done = timed.transact(write, {}, "ann")
    assert (bool(commits), done.error) == (committed, None if committed else "wrong_row_count")
