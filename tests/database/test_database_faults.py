"""What breaks in the middle of a run: each ends in a class of its own, and what was measured is kept."""

from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from faulting import DROP_ALL, fault, load_with, outage, reload, rename_database, set_password, triggered
from running import metric

from nightbench.database.metrics import database_validity
from nightbench.database.session import MAX_ATTEMPTS
from nightbench.plan import DatabasePlan
from nightbench.verdict.targets import judge_targets

WORKERS = 4
BEFORE = 60
"""Operations before something breaks."""
AFTER = 60
"""Operations after it was mended."""


@dataclass(frozen=True)
class Fault:
    """Something that breaks and is mended.

    Attributes:
        error: What operations end in meanwhile.
        meanwhile: How many operations begin before it is mended; few where each waits.
        also: What else they may end in, beside connections that are lost.
        missed: Which of the promises that no machine's speed decides are broken.
    """

    breaks: tuple
    mends: tuple
    error: str
    meanwhile: int = 60
    also: tuple[str, ...] = ()
    missed: frozenset[str] = frozenset({"query.success_rate"})
    plan: dict = field(default_factory=dict)


LOST = ("sqlstate_57P01", "connection_lost", "connect_failed")
"""How a connection ends that the server has ended: with its reason, or without where that was not heard, as it was made
or later."""
GOT_OVER = {
    "wrong password": Fault(
        ("ALTER ROLE authenticator PASSWORD 'another'", DROP_ALL),
        (set_password,),
        "sqlstate_28P01",
        meanwhile=8,
    ),
    "unknown database": Fault(
        (rename_database("pam", "gone"),),
        (rename_database("gone", "pam"),),
        "sqlstate_3D000",
        meanwhile=8,
        also=("sqlstate_55000",),
    ),
    "nobody may connect": Fault(
        ("REVOKE CONNECT ON DATABASE pam FROM public", DROP_ALL),
        ("GRANT CONNECT ON DATABASE pam TO public",),
        "sqlstate_42501",
    ),
    "too many connections": Fault(  # the steward and the observer have two
        ("ALTER ROLE authenticator CONNECTION LIMIT 3", DROP_ALL),
        ("ALTER ROLE authenticator CONNECTION LIMIT -1",),
        "connect_too_many",
    ),
    "idle backends terminated": Fault((DROP_ALL,), (), "sqlstate_57P01"),
    "idle backend terminated": Fault((f"{DROP_ALL} LIMIT 1",), (), "sqlstate_57P01", missed=frozenset()),
    "busy backends terminated": Fault(
        *triggered("UPDATE", "PERFORM pg_terminate_backend(pg_backend_pid())"), "sqlstate_57P01"
    ),
    "statement time-out": Fault(
        *triggered("UPDATE", "PERFORM pg_sleep(60)"),
        "sqlstate_57014",
        meanwhile=45,  # three updates, of which one may come late
        plan={"statement_timeout": 0.5},
    ),
    "read-only server": Fault(
        ("ALTER SYSTEM SET default_transaction_read_only = on", reload),
        ("ALTER SYSTEM RESET default_transaction_read_only", reload),
        "sqlstate_25006",
    ),
    "conflict each time": Fault(
        *triggered("UPDATE", "RAISE 'could not serialize access' USING ERRCODE = '40001'"),
        "sqlstate_40001",
    ),
    "disk full": Fault(
        *triggered("INSERT", "RAISE 'could not extend file' USING ERRCODE = 'disk_full'"), "sqlstate_53100"
    ),
    "table missing": Fault(
        ("ALTER TABLE messages RENAME TO gone",), ("ALTER TABLE gone RENAME TO messages",), "sqlstate_42P01"
    ),
    "column of another type": Fault(
        ("ALTER TABLE expenses RENAME updated_at TO kept; ALTER TABLE expenses ADD updated_at integer",),
        ("ALTER TABLE expenses DROP updated_at; ALTER TABLE expenses RENAME kept TO updated_at",),
        "sqlstate_42804",
    ),
    "role without grants": Fault(
        ("REVOKE SELECT ON profiles FROM authenticated",),
        ("GRANT SELECT ON profiles TO authenticated",),
        "sqlstate_42501",
    ),
}


def missed(result):
    """The promises that no machine's speed decides and that were not kept."""
    measurement = SimpleNamespace(value=lambda name: metric(result, name))
    judged = judge_targets(DatabasePlan(queries=1, workers=1).promises, measurement)
    return {each.metric for each in judged if not each.met} & {"query.success_rate", "query.leaked_rows"}


def check_account(story):
    """All that was begun has ended, under the name that it was given."""
    query = story.result.load.counted["query"]
    assert query.errors == Counter(error for error in story.errors if error)
    assert query.scheduled == len(story.errors)
    assert query.in_flight == query.skipped == 0


@pytest.mark.parametrize("name", GOT_OVER)
def test_what_is_mended_is_got_over(postgres, name):
    case = GOT_OVER[name]
    mended = BEFORE + case.meanwhile
    with fault(postgres, case.breaks, case.mends) as (breaks, mends):
        story = load_with(
            postgres.dsn,
            {BEFORE: breaks, mended: mends},
            workers=WORKERS,
            queries=mended + AFTER,
            **case.plan,
        )
    result, errors = story.result, story.errors
    check_account(story)
    assert set(story.before) == {None}
    assert case.error in errors
    assert set(errors) <= {None, case.error, *case.also, *LOST}
    assert set(errors[-AFTER // 2 :]) == {None}
    # (one that was under way when it was mended may end well at its second attempt)
    assert result.load.retries >= (MAX_ATTEMPTS - 1) * errors.count("sqlstate_40001")
    assert result.load.pool.recycled == sum(error in LOST for error in [*errors, *story.uncounted])
    assert result.load.given_up is None
    assert database_validity(result).complete
    assert missed(result) == case.missed
    assert result.rows.removed is not None
    assert result.rows.before == result.rows.after


def test_a_prepared_read_whose_columns_change_fails_once_and_is_prepared_anew(postgres):
    change = "ALTER TABLE profiles ALTER display_name TYPE {}".format
    prepared = 4 * BEFORE  # operations, by which each connection has run it often enough
    with fault(postgres, (change("varchar(200)"),), (change("text"),)) as (breaks, _):
        story = load_with(postgres.dsn, {prepared: breaks}, workers=WORKERS, queries=prepared + 200)
    check_account(story)
    two_reads_of_it = 2
    assert 0 < story.errors.count("sqlstate_0A000") <= two_reads_of_it * WORKERS
    assert set(story.errors) == {None, "sqlstate_0A000"}


def test_a_server_that_is_stopped_and_started_is_got_over(postgres):
    with outage(postgres) as (stop, start):
        story = load_with(
            postgres.dsn, {BEFORE: stop, BEFORE + 8: start}, workers=WORKERS, queries=BEFORE + 8 + AFTER
        )
    result = story.result
    check_account(story)
    assert set(story.before) == {None}
    assert {"connect_refused"} < set(story.errors) <= {None, "connect_refused", "sqlstate_57P03", *LOST}
    assert set(story.errors[-AFTER // 2 :]) == {None}
    assert result.load.pool.opened == 2 * WORKERS
    assert result.load.pool.recycled == result.load.pool.invalidated == WORKERS
    assert database_validity(result).complete
    assert missed(result) == {"query.success_rate"}
    assert result.rows.removed is not None
    assert result.rows.before == result.rows.after


def test_a_server_that_stays_away_ends_the_run_and_what_was_measured_is_kept(postgres):
    with outage(postgres) as (stop, _):
        story = load_with(postgres.dsn, {BEFORE: stop}, workers=WORKERS, queries=1_000_000, lost_after=0.5)
    result = story.result
    check_account(story)
    assert set(story.before) == {None}
    assert {"connect_refused"} < set(story.errors) <= {None, "connect_refused", *LOST}
    validity = database_validity(result)
    assert not validity.complete
    assert "the subject was lost" in validity.reasons[0]
    assert "could not be removed" in validity.reasons[-1]
    assert result.load.counted["query"].ok >= len(story.before)
    assert metric(result, "query.response_time.p50") is not None
    again = load_with(postgres.dsn, {}, queries=20)
    assert again.result.rows.left_over > 0
    assert again.result.rows.before == again.result.rows.after
