"""The isolation probes: what counts as a leak, and that the alarm rings when a policy stands open."""

import pytest
from observing import observed, observer_of, plan_of, settings_of, with_mix, workload_of

from nightbench.database.observation import Probes
from nightbench.database.observing.isolation import (
    FOREIGN_WRITE,
    MOST_ROWS,
    ONE_TENANT,
    UNGUARDED,
    Isolation,
    ProbeCounts,
    probes_isolation,
    without_returning,
)
from nightbench.database.observing.side_connection import Cost, SideConnection, open_side_connection
from nightbench.plan.workload import OwnRows, WorkloadPlan

_WRITTEN = "SELECT count(*) FROM expenses WHERE source LIKE 'nightbench:test:%'"


@pytest.mark.parametrize(
    ("rows", "error", "leaked", "errors"),
    [
        (0, None, 0, {}),
        (3, None, 3, {}),
        (0, "sqlstate_42501", 0, {"no_tenant:listing: sqlstate_42501": 1}),
        (0, "sqlstate_57014", 0, {"no_tenant:listing: sqlstate_57014": 1}),
    ],
)
def test_a_read_without_a_tenant_should_see_nothing(rows, error, leaked, errors):
    counts = ProbeCounts()
    counts.read("no_tenant:listing", rows, error)
    assert counts.probes == Probes(1, leaked, {"no_tenant:listing": leaked} if leaked else {}, errors)


@pytest.mark.parametrize(
    ("rows", "error", "leaked", "errors"),
    [
        (0, "sqlstate_42501", 0, {}),
        (1, None, 1, {}),
        (0, None, 0, {}),
        (0, "sqlstate_23503", 0, {"foreign_write: sqlstate_23503": 1}),
    ],
)
def test_a_write_for_another_tenant_should_be_refused(rows, error, leaked, errors):
    counts = ProbeCounts()
    counts.write(rows, error)
    assert counts.probes == Probes(1, leaked, {FOREIGN_WRITE: leaked} if leaked else {}, errors)


def test_what_never_came_to_a_policy_is_told():
    counts = ProbeCounts()
    for error in ("sqlstate_22P02", None):
        counts.read("no_tenant:listing", 0, error)
    assert list(counts.unanswered()) == []
    counts.write(0, "sqlstate_23503")
    (sentence,) = counts.unanswered()
    assert sentence.startswith("isolation: foreign_write ended in sqlstate_23503")
    counts.write(0, "sqlstate_42501")
    assert list(counts.unanswered()) == []


@pytest.mark.parametrize(
    ("sql", "without"),
    [
        ("INSERT INTO t VALUES (1) RETURNING id", "INSERT INTO t VALUES (1)"),
        ("insert into t values (1)\nreturning id, x ", "insert into t values (1)"),
        ("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)"),
        ("INSERT INTO t VALUES ('a RETURNING b') RETURNING id", "INSERT INTO t VALUES ('a RETURNING b')"),
        ("INSERT INTO t VALUES ('it''s RETURNING')", "INSERT INTO t VALUES ('it''s RETURNING')"),
        ('INSERT INTO "returning" (a) VALUES (1) RETURNING a', 'INSERT INTO "returning" (a) VALUES (1)'),
        ("INSERT INTO t VALUES ($x$ RETURNING $x$)", "INSERT INTO t VALUES ($x$ RETURNING $x$)"),
        ("INSERT INTO t VALUES (1) -- RETURNING id", "INSERT INTO t VALUES (1) -- RETURNING id"),
        ("INSERT INTO t VALUES (1) /* RETURNING */", "INSERT INTO t VALUES (1) /* RETURNING */"),
        ("INSERT INTO returning_t VALUES (1)", "INSERT INTO returning_t VALUES (1)"),
        (
            "WITH a AS (INSERT INTO u VALUES (1) RETURNING id) INSERT INTO t SELECT id FROM a",
            "WITH a AS (INSERT INTO u VALUES (1) RETURNING id) INSERT INTO t SELECT id FROM a",
        ),
    ],
)
def test_only_the_returning_of_the_statement_itself_goes(sql, without):
    assert without_returning(sql) == without


def test_a_workload_without_tenants_promises_no_isolation():
    mix = plan_of().mix
    assert probes_isolation(mix)
    assert not probes_isolation(WorkloadPlan(**{**dict(mix), "tenant_settings": {"role": "authenticated"}}))
    bare = [each.model_copy(update={"tenant_column": None}) for each in mix.statements]
    assert not probes_isolation(mix.model_copy(update={"statements": tuple(bare), "own_rows": None}))


def reading(sql):
    """The plan with one read alone, in whose column user_id the tenant is."""
    statement = plan_of().mix.statements[1]
    changed = {"sql": sql, "parameters": {}, "min_rows": 0, "max_rows": None, "columns": ()}
    return with_mix(plan_of(), statements=(statement.model_copy(update=changed),), own_rows=None)


@pytest.fixture
def probed(postgres):
    """Make one probe of each kind, twice, and tell what they came to."""

    def probe(plan=None):
        plan = plan or plan_of()
        isolation = Isolation(plan.mix, workload_of(plan), settings_of(plan))
        with open_side_connection(postgres.dsn, 5) as connection:
            side = SideConnection(connection, Cost())
            isolation.check(side)
            for _ in range(2):
                for _ in range(isolation.kinds):
                    isolation.probe(side)
        return isolation.probes

    return probe


def test_the_reference_keeps_its_tenants_apart_and_the_probes_leave_nothing(postgres, probed):
    assert probed() == Probes(made=10)  # four reads and the write
    assert postgres.execute(_WRITTEN) == [(0,)]


@pytest.mark.parametrize(
    ("change", "back", "leaks"),
    [
        (
            "ALTER TABLE expenses DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE expenses ENABLE ROW LEVEL SECURITY",
            {"no_tenant:expense_listing", FOREIGN_WRITE},
        ),
        (
            "CREATE POLICY open ON profiles FOR SELECT TO authenticated USING (true)",
            "DROP POLICY open ON profiles",
            {"no_tenant:profile_lookup"},
        ),
        (
            "CREATE POLICY open ON expenses FOR INSERT TO authenticated WITH CHECK (true)",
            "DROP POLICY open ON expenses",
            {FOREIGN_WRITE},  # nobody may read such a row: with RETURNING it would be refused
        ),
    ],
    ids=["disabled", "open to read", "open to write"],
)
def test_the_alarm_rings_when_one_policy_is_gone(postgres, probed, change, back, leaks):
    with postgres.changed(change, back):
        probes = probed()
    assert set(probes.leaks) == leaks
    assert probes.leaked_rows == sum(probes.leaks.values()) > 0
    assert not probes.errors
    assert postgres.execute(_WRITTEN) == [(0,)]


OPEN_TO_READ = (
    "CREATE POLICY open ON expenses FOR SELECT TO authenticated USING (true)",
    "DROP POLICY open ON expenses",
)


def test_of_a_large_table_that_stands_open_only_some_rows_are_fetched(postgres, probed):
    with postgres.changed(*OPEN_TO_READ):
        assert probed(reading("SELECT user_id FROM expenses")).leaked_rows == 2 * MOST_ROWS


@pytest.mark.parametrize(
    ("sql", "somebodys"),
    [
        ("SELECT max(user_id::text) AS user_id, count(*) FROM expenses", 1),
        ("SELECT user_id FROM expenses WHERE user_id = %(tenant)s LIMIT 3", 3),
        (
            "SELECT NULL::uuid AS user_id FROM generate_series(1, 3000) UNION ALL (SELECT user_id FROM expenses LIMIT 2)",
            2,
        ),
    ],
    ids=["aggregate", "names the tenant", "behind those of nobody"],
)
def test_rows_of_somebody_are_a_leak_and_those_of_nobody_are_none(postgres, probed, sql, somebodys):
    assert probed(reading(sql)) == Probes(made=2)
    with postgres.changed(*OPEN_TO_READ):
        assert probed(reading(sql)).leaked_rows == 2 * somebodys


def row_security(switch, *tables):
    return "".join(f"ALTER TABLE {table} {switch} ROW LEVEL SECURITY;" for table in tables)


def test_where_nothing_promises_isolation_nothing_is_probed_and_that_is_told(postgres):
    tables = ("profiles", "expenses", "budgets", "conversations", "messages")
    with postgres.changed(row_security("DISABLE", *tables), row_security("ENABLE", *tables)):
        seen = observed(postgres.dsn, plan_of(observation_interval=0))
    assert seen.probes == Probes()
    assert UNGUARDED in seen.absent


def test_with_one_tenant_nobody_writes_for_another_and_that_is_told(postgres):
    seen = observed(postgres.dsn, plan_of(observation_interval=0, tenants=1))
    assert seen.absent == (ONE_TENANT,)


@pytest.mark.parametrize("guarded", [True, False])
def test_a_partition_is_guarded_by_the_policies_of_its_whole(postgres, probed, guarded):
    divided = (
        "CREATE TABLE receipts (user_id uuid) PARTITION BY HASH (user_id);"
        "CREATE TABLE receipts_0 PARTITION OF receipts FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
        "GRANT SELECT ON receipts TO authenticated;"
        "CREATE POLICY own_receipts ON receipts USING (user_id = (SELECT auth.uid()));"
    ) + row_security("ENABLE" if guarded else "DISABLE", "receipts")
    with postgres.changed(divided, "DROP TABLE receipts"):
        assert probed(reading("SELECT user_id FROM receipts")).made == (2 if guarded else 0)


def test_a_probe_that_fails_is_told_by_its_class_and_the_next_one_is_made(postgres, probed):
    with postgres.changed(
        "REVOKE SELECT ON profiles FROM authenticated", "GRANT SELECT ON profiles TO authenticated"
    ):
        probes = probed()
    # two reads of profiles; the policy functions of the rest do not need it
    assert probes.errors == {
        "no_tenant:profile_lookup: sqlstate_42501": 2,
        "no_tenant:conversation_history: sqlstate_42501": 2,
    }
    assert probes.made == 10
    assert probes.leaked_rows == 0


def test_an_insert_that_fails_for_another_reason_says_nothing_of_the_policy(probed):
    broken = OwnRows(
        tables=plan_of().mix.own_rows.tables,
        insert="INSERT INTO expenses (user_id, amount, category, source) VALUES (%(tenant)s, 1/0, 'x', %(tag)s)",
    )
    assert probed(with_mix(plan_of(), own_rows=broken)).errors == {"foreign_write: sqlstate_22012": 2}


def test_a_short_run_is_probed_for_each_kind(postgres):
    observer = observer_of(postgres.dsn, plan_of(observation_interval=0))
    observer.start()
    observer.begin()
    probes = observer.stop().probes
    assert probes.made == 5
