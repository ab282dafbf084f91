"""Transactions in each other's way: deadlocks, write conflicts, and locks that somebody else holds."""

import pytest
from faulting import fault, load_with, locked
from running import metric

from nightbench.database.diagnosis import capture
from nightbench.database.housekeeping import own_rows
from nightbench.database.metrics import database_validity
from nightbench.database.session import Sessions
from nightbench.plan.pam import PAM

BEFORE, MEANWHILE, AFTER = 20, 20, 20

UPDATES = PAM.model_copy(
    update={"statements": tuple(each for each in PAM.statements if each.name == "expense_update")}
)
"""Nothing else, so that two workers are sure to be at one at the same time."""

FIRST_TWO = """
CREATE TABLE pair (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO pair VALUES (1, 0), (2, 0);
CREATE SEQUENCE tries; CREATE SEQUENCE held;
CREATE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    mine int := nextval('tries');
BEGIN
    IF mine <= 2 THEN
        {body}
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER meet BEFORE UPDATE ON expenses FOR EACH ROW EXECUTE FUNCTION meet();
"""
"""The first two updates to come do something to each other, beside what they do to their own rows."""
MENDS = "DROP TRIGGER meet ON expenses; DROP FUNCTION meet(); DROP SEQUENCE tries, held; DROP TABLE pair"
IN_OPPOSITE_ORDER = """
UPDATE pair SET n = n + 1 WHERE id = mine;
PERFORM nextval('held');
WHILE (SELECT last_value FROM held) < 2 LOOP PERFORM pg_sleep(0.005); END LOOP;
UPDATE pair SET n = n + 1 WHERE id = 3 - mine;
"""
AFTER_ANOTHER_HAS_COMMITTED = """
WHILE mine = 1 AND (SELECT last_value FROM tries) < 3 LOOP PERFORM pg_sleep(0.005); END LOOP;
UPDATE pair SET n = n + 1 WHERE id = 1;
"""
"""The first one waits until the worker of the second one has come again; its snapshot is older than that commit."""

CONFLICTS = {
    "deadlock": (IN_OPPOSITE_ORDER, "sqlstate_40P01", "read committed"),
    "repeatable read": (AFTER_ANOTHER_HAS_COMMITTED, "sqlstate_40001", "repeatable read"),
    "serializable": (AFTER_ANOTHER_HAS_COMMITTED, "sqlstate_40001", "serializable"),
}


@pytest.fixture
def attempts(monkeypatch):
    """How each attempt of a transaction ended, its error or None."""
    ended, attempt = [], Sessions._attempt

    def noted(*told):
        error = attempt(*told)
        ended.append(error)
        return error

    monkeypatch.setattr(Sessions, "_attempt", noted)
    return ended


@pytest.mark.parametrize("name", CONFLICTS)
def test_a_conflict_is_tried_again_and_counted(postgres, attempts, name):
    body, error, isolation = CONFLICTS[name]
    role = "ALTER ROLE authenticator"
    with (
        postgres.changed(f"{role} SET deadlock_timeout = '10ms'", f"{role} RESET deadlock_timeout"),
        fault(postgres, (FIRST_TWO.format(body=body),), (MENDS,)) as (breaks, mends),
    ):
        story = load_with(
            postgres.dsn,
            {BEFORE: breaks, BEFORE + MEANWHILE: mends},
            workers=2,
            queries=BEFORE + MEANWHILE + AFTER,
            workload=UPDATES,
            isolation_level=isolation,
        )
    assert [each for each in attempts if each] == [error]
    assert set(story.errors) == {None}
    assert story.result.load.counted["query"].ok == len(story.errors)
    assert metric(story.result, "query.retries") == metric(story.result, "query.retried") == 1
    assert metric(story.result, "query.success_rate") == 100
    assert database_validity(story.result).complete


LIMITS = {
    "lock_timeout": ({"lock_timeout": 0.3, "statement_timeout": 30}, "sqlstate_55P03"),
    "statement_timeout": ({"statement_timeout": 0.5}, "sqlstate_57014"),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_lock_that_is_held_for_a_while_times_out(postgres, limit):
    plan, error = LIMITS[limit]
    with locked(postgres, "expenses") as (lock, let_go):
        story = load_with(
            postgres.dsn,
            {BEFORE: lock, BEFORE + MEANWHILE: let_go},
            workers=4,
            queries=BEFORE + MEANWHILE + AFTER,
            **plan,
        )
    query = story.result.load.counted["query"]
    assert set(story.before) == {None}
    assert set(story.errors[-AFTER // 2 :]) == {None}
    assert query.errors == {error: query.timed_out}
    assert query.timed_out > 0
    assert query.scheduled == query.ok + query.timed_out == len(story.errors)
    assert database_validity(story.result).complete
    assert metric(story.result, "query.success_rate") < 99
    assert story.result.rows.before == story.result.rows.after


def test_a_lock_that_is_held_for_longer_than_the_run_leaves_its_rows_to_the_next(postgres, monkeypatch):
    plan, error = LIMITS["lock_timeout"]
    monkeypatch.setattr(capture, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(own_rows, "BATCH_SECONDS", 0.5)
    with locked(postgres, "expenses") as (lock, _):
        story = load_with(postgres.dsn, {BEFORE: lock}, workers=4, queries=BEFORE + MEANWHILE, **plan)
    query = story.result.load.counted["query"]
    assert query.errors == {error: query.timed_out}
    assert query.timed_out > 0
    assert query.scheduled == query.ok + query.timed_out == len(story.errors)
    assert story.result.load.given_up is None
    assert story.result.rows.removed is None
    assert "could not be removed" in database_validity(story.result).reasons[-1]
    # the server notices that the run's connection is gone when its statement has had the lock
    postgres.wait_until("SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'")
    again = load_with(postgres.dsn, {}, queries=20)
    assert again.result.rows.left_over > 0
    assert again.result.rows.before == again.result.rows.after
