"""Findings on the real reference: none on the healthy one, and of each thing broken exactly its own."""

from contextlib import ExitStack

import psycopg
import pytest
from diagnosing import kinds, load_of
from running import load

from nightbench.database.checking.checks import check_workload
from nightbench.database.diagnosis import capture, diagnose, examination
from nightbench.database.observation import Observation
from nightbench.database.provisions import load_provisions
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Workload, statements_of
from nightbench.plan import DatabasePlan

LIMITS = ("limited_by_generator", "pool_too_small")
"""What a busy machine may rightly be told in any test."""
PLAN = DatabasePlan(queries=100, workers=4, tenants=50)
SETTINGS = TenantSettings(PLAN.mix.tenant_settings)
LOAD = load_of(*(each.name for each in PLAN.mix.statements))

BY_DATE = (
    "DROP INDEX expenses_user_spent_on",
    "CREATE INDEX expenses_user_spent_on ON expenses (user_id, spent_on DESC)",
)
BY_CATEGORY = (
    "DROP INDEX expenses_user_category_spent_on",
    "CREATE INDEX expenses_user_category_spent_on ON expenses (user_id, category, spent_on)",
)
OF_MESSAGES = (
    "ALTER POLICY own_messages ON messages USING (user_id = auth.uid())",
    "ALTER POLICY own_messages ON messages USING (user_id = (SELECT auth.uid()))",
)
KEY_OF_MESSAGES = ("DROP INDEX messages_user", "CREATE INDEX messages_user ON messages (user_id)")
TWICE = (
    "CREATE INDEX twice ON expenses (user_id, category, spent_on)",
    "DROP INDEX twice",
)
CONSTANT = (
    (
        "CREATE FUNCTION public.always() RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;"
        "ALTER POLICY own_messages ON messages USING (user_id = (SELECT auth.uid()) AND public.always())"
    ),
    OF_MESSAGES[1] + "; DROP FUNCTION public.always()",
)
OPEN = (
    "ALTER TABLE budgets DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE budgets ENABLE ROW LEVEL SECURITY",
)

SCAN = ("sequential_scan", "expenses")
KEY = ("foreign_key_without_index", "expenses.expenses_user_id_fkey")
DUPLICATE = ("duplicate_index", "twice")
POLICY = ("policy_per_row", "messages.own_messages")


@pytest.fixture(scope="module")
def workload(postgres):
    provisions = load_provisions(PLAN)
    planned = Workload(
        statements_of(PLAN.mix, provisions), provisions.tenants, seed=1, tag="nightbench:test:50"
    )
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        checked = check_workload(connection, planned, SETTINGS, plan=PLAN)
    return Workload(checked.statements, provisions.tenants, seed=1, tag=planned.tag), checked.relations


def examined(postgres, workload, *, connection=None):
    with ExitStack() as stack:
        if connection is None:
            connection = stack.enter_context(psycopg.connect(postgres.dsn, autocommit=True))
        return diagnose(
            connection,
            plan=PLAN,
            workload=workload[0],
            settings=SETTINGS,
            relations=workload[1],
            observation=Observation(),
            load=LOAD,
        )


def test_a_run_of_the_healthy_reference_finds_nothing_and_has_the_plans_of_the_slowest(postgres):
    diagnosis = load(postgres.dsn, queries=60, warmup=0).diagnosis
    assert [each for each in kinds(diagnosis.findings) if each[0] not in LIMITS] == []
    assert diagnosis.not_looked_at == ()
    assert len(diagnosis.slowest) >= 3
    assert all(each.plan and each.hot for each in diagnosis.slowest)


def test_a_run_without_an_index_and_with_a_policy_per_row_names_exactly_these(postgres):
    with postgres.changed(*BY_DATE), postgres.changed(*BY_CATEGORY), postgres.changed(*OF_MESSAGES):
        found = load(postgres.dsn, queries=60, warmup=0).diagnosis.findings
    schema = [each for each in found if each.kind not in LIMITS]
    assert set(kinds(schema)) == {SCAN, KEY, POLICY}
    suggestions = {each.kind: each.suggestion for each in schema}
    assert suggestions["sequential_scan"] == (
        "CREATE INDEX CONCURRENTLY ON expenses (user_id, spent_on DESC)"
    )
    assert suggestions["policy_per_row"].endswith(
        "ALTER POLICY own_messages ON messages USING (user_id = (SELECT auth.uid()))"
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([BY_DATE], []),  # the other index serves the tenant's rows as well
        ([KEY_OF_MESSAGES], [("foreign_key_without_index", "messages.messages_user_id_fkey")]),
        ([TWICE], [DUPLICATE]),
        ([OPEN], [("table_without_policy", "budgets")]),
        ([OF_MESSAGES], [POLICY]),
        ([CONSTANT], []),
    ],
    ids=["one index of two", "key", "duplicate", "open", "policy", "constant function"],
)
def test_what_is_broken_is_named_and_nothing_else(postgres, workload, changes, expected):
    with ExitStack() as stack:
        for each in changes:
            stack.enter_context(postgres.changed(*each))
        assert kinds(examined(postgres, workload).findings) == expected


def test_what_is_suggested_mends_it(postgres, workload):
    with postgres.changed(*BY_DATE), postgres.changed(*BY_CATEGORY):
        (scan,) = (each for each in examined(postgres, workload).findings if each.kind == "sequential_scan")
        assert scan.evidence["statements"] == ["budget_utilization", "expense_listing"]
        postgres.execute(scan.suggestion.replace(" ON ", " mended ON ", 1))
        try:
            assert kinds(examined(postgres, workload).findings) == []
        finally:
            postgres.execute("DROP INDEX mended")


def test_it_leaves_nothing_behind_though_it_runs_writes(postgres, workload):
    before = postgres.state()
    assert {"expense_insert", "expense_update"} <= {each.name for each in workload[0].statements}
    assert examined(postgres, workload).not_looked_at == ()
    assert postgres.state() == before


def test_a_statement_that_takes_too_long_is_told_and_the_others_are_looked_at(
    postgres, workload, monkeypatch
):
    monkeypatch.setattr(capture, "STATEMENT_SECONDS", 0.5)
    slow = (
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(9); RETURN NEW; END $$;"
        "CREATE TRIGGER slow BEFORE INSERT ON expenses FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    with postgres.changed(slow, "DROP TRIGGER slow ON expenses; DROP FUNCTION slow()"):
        diagnosis = examined(postgres, workload)
    told = " ".join(diagnosis.not_looked_at)
    assert "the plan of expense_insert: canceling statement due to statement timeout" in told
    assert len(diagnosis.slowest) == 3


def test_when_the_time_is_up_it_says_what_it_did_not_look_at(postgres, workload, monkeypatch):
    monkeypatch.setattr(examination, "DIAGNOSIS_SECONDS", 0.0)
    diagnosis = examined(postgres, workload)
    assert diagnosis.findings == diagnosis.slowest == ()
    assert diagnosis.not_looked_at[0] == "tables, indexes and policies: the time for it was up"
    assert "profile_lookup" in diagnosis.not_looked_at[-1]


@pytest.mark.parametrize(
    ("rule", "silenced"),
    [
        ("examination.policy_findings", {POLICY}),
        ("examination.scan_findings", set()),
        ("examination.read_catalog", {POLICY, DUPLICATE}),
        ("examination.slowest", set()),
        ("figures.totals_of", set()),
        ("capture._capture", set()),
    ],
)
def test_a_rule_that_fails_is_told_and_the_others_speak(postgres, workload, monkeypatch, rule, silenced):
    def fail(*_, **__):
        raise KeyError("of postgresql://app:hunter2@host/db")

    monkeypatch.setattr(f"nightbench.database.diagnosis.{rule}", fail)
    with postgres.changed(*OF_MESSAGES), postgres.changed(*TWICE):
        diagnosis = examined(postgres, workload)
    assert set(kinds(diagnosis.findings)) == {POLICY, DUPLICATE} - silenced
    told = "; ".join(diagnosis.not_looked_at)
    assert "it failed, which is an error of nightbench: KeyError" in told
    assert "hunter2" not in told


def test_what_does_not_even_connect_is_told(workload):
    diagnosis = examined(None, workload, connection=object())
    assert diagnosis.findings == ()
    assert "the server: it failed, which is an error of nightbench" in diagnosis.not_looked_at[0]


def test_a_connection_that_is_gone_is_told_and_raises_nothing(postgres, workload):
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute("SELECT 1")
        postgres.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        diagnosis = examined(postgres, workload, connection=connection)
    assert diagnosis.findings == ()
    assert diagnosis.not_looked_at


def test_somebody_else_who_writes_meanwhile_is_noticed(postgres):
    written = []

    def write(progress):
        if not written and progress.phase in ("warmup", "measure"):
            written.extend(
                postgres.execute(
                    "INSERT INTO expenses (user_id, amount, category) SELECT id, 1, 'other' FROM profiles "
                    "WHERE email = 'tenant1@example.com' RETURNING id"
                )
            )

    try:
        found = load(postgres.dsn, on_progress=write).diagnosis.findings
    finally:
        postgres.execute("DELETE FROM expenses WHERE id = ANY(%s)", ([key for (key,) in written],))
    (finding,) = (each for each in found if each.kind == "other_writers")
    assert finding.evidence["after"] == finding.evidence["before"] + 1


def test_what_the_server_says_of_a_row_is_not_repeated(postgres, workload):
    refusing = (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'refused' USING DETAIL = 'Failing row is ' || NEW; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON expenses FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    with postgres.changed(refusing, "DROP TRIGGER refuse ON expenses; DROP FUNCTION refuse()"):
        told = " ".join(examined(postgres, workload).not_looked_at)
    assert "the plan of expense_insert: refused" in told
    assert "Failing row" not in told


def test_a_pool_that_is_too_small_is_named(postgres):
    few = {"workers": 24, "pool_size": 1, "max_overflow": 0, "think": 0.001}
    found = load(postgres.dsn, model="closed", queries=100, warmup=0, **few).diagnosis.findings
    assert ("pool_too_small", "pool") in kinds(found)


def test_a_lock_that_all_transactions_take_is_what_limits(postgres):
    heat = (
        "CREATE FUNCTION heat() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_advisory_xact_lock(7); PERFORM pg_sleep(0.05); RETURN new; END $$;"
        "CREATE TRIGGER heat BEFORE INSERT OR UPDATE ON expenses FOR EACH ROW EXECUTE FUNCTION heat()"
    )
    with postgres.changed(heat, "DROP TRIGGER heat ON expenses; DROP FUNCTION heat()"):
        diagnosis = load(
            postgres.dsn, model="closed", queries=100, workers=16, warmup=0, observation_interval=0.1
        ).diagnosis
    assert ("limited_by_locks", "locks") in kinds(diagnosis.findings)
    hot = {each.name: each.hot for each in diagnosis.slowest}
    assert hot["expense_insert"].startswith("trigger heat on expenses")
