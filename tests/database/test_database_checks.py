"""Before any load each statement is tried on a real server; what is wrong is told with its field and the way out."""

import pytest
from trying import AMOUNT, BASE, INSERT, OWN_ROW, UPDATE, checked, plan_of

from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan
from nightbench.plan.pam import PAM


@pytest.fixture(scope="module")
def subject(postgres):
    """The reference with tables of its own for what is tried."""
    postgres.execute(
        """
        CREATE SCHEMA trial;
        GRANT USAGE ON SCHEMA trial TO authenticated;
        CREATE TABLE trial.own (id int PRIMARY KEY, parent int REFERENCES trial.own DEFERRABLE INITIALLY DEFERRED,
            tag text, day date DEFAULT now()) PARTITION BY RANGE (id);
        CREATE TABLE trial.own_1 PARTITION OF trial.own FOR VALUES FROM (0) TO (1000);
        CREATE TABLE trial.small (id int, tenant text, name char(4), tag text);
        INSERT INTO trial.small VALUES (1, 'a', 'x'), (2, 'b', 'y');
        CREATE TABLE trial.secret (id int);
        CREATE VIEW trial.small_view WITH (security_invoker = true) AS SELECT * FROM trial.small;
        CREATE FUNCTION trial.writes(text) RETURNS int LANGUAGE sql
            AS 'INSERT INTO trial.small (id, tag) VALUES (1, $1) RETURNING id';
        GRANT ALL ON trial.own, trial.small, trial.small_view TO authenticated;
        """
    )
    yield postgres
    postgres.execute("DROP SCHEMA trial CASCADE")


def test_the_default_workload_fits_the_reference(subject):
    found = checked(subject.dsn, DatabasePlan(queries=1, workers=1))
    assert [each.name for each in found.statements] == [each.name for each in PAM.statements]
    assert {each.name: each.tenant_index for each in found.statements if each.tenant_as_text} == {
        "profile_lookup": 0,
        "expense_listing": 0,
        "budget_utilization": 0,
        "conversation_history": 0,
    }
    assert found.relations == {
        "profile_lookup": {"public.profiles"},
        "expense_listing": {"public.expenses"},
        "budget_utilization": {"public.budgets", "public.expenses"},
        "conversation_history": {"public.conversations", "public.messages", "public.profiles"},
        "expense_insert": {"public.expenses"},
        "expense_update": {"public.expenses"},
    }


MANY = (
    "INSERT INTO expenses (user_id, amount, category, source) "
    "SELECT %(tenant)s, each, 'x', %(tag)s FROM generate_series(1, 30) AS each"
)
# statements, fields of the workload, and the tables of the first
GOOD = {
    "a read in comments and parentheses": ([{"sql": "/* x */ (SELECT 1)"}], {}, set()),
    "a percent sign": ([{"sql": "SELECT '%%' LIKE '%%%%'"}], {}, set()),
    "a read that locks": ([{"sql": "SELECT id FROM expenses FOR UPDATE"}], {}, {"public.expenses"}),
    "columns as they are due": ([{"sql": "SELECT 1 AS a, 2 AS b", "columns": ["a", "b"]}], {}, set()),
    "a write that returns": (
        [{"kind": "write", "sql": INSERT + " RETURNING id", "parameters": {"amount": AMOUNT}}],
        {},
        {"public.expenses"},
    ),
    "a write of many rows": (
        [{"kind": "write", "sql": MANY, "max_rows": 100_000}],
        {},
        {"public.expenses"},
    ),
    "an update of the worker's own row": (
        [{"kind": "write", "sql": UPDATE, "parameters": OWN_ROW}],
        {},
        {"public.expenses"},
    ),
    "a write that need not find a row": (
        [{"kind": "write", "sql": UPDATE + " AND amount > 5", "parameters": OWN_ROW, "min_rows": 0}],
        {},
        {"public.expenses"},
    ),
    "a partitioned table": (
        [{"kind": "write", "sql": "INSERT INTO trial.own (id, tag) VALUES (7, %(tag)s)"}],
        {"own_rows": {"tables": [{"table": "trial.own", "tag_column": "tag"}]}},
        {"trial.own"},
    ),
    "a table behind a view": (
        [{"kind": "write", "sql": "INSERT INTO trial.small_view (id, tag) VALUES (7, %(tag)s)"}],
        {"own_rows": {"tables": [{"table": "trial.small_view", "tag_column": "tag"}]}},
        {"trial.small"},
    ),
    "a function that writes": (
        [{"kind": "write", "sql": "SELECT trial.writes(%(tag)s)"}],
        {"own_rows": {"tables": [{"table": "trial.small", "tag_column": "tag"}]}},
        set(),
    ),
    "a read without tenants": (
        [{"sql": "SELECT 1", "min_rows": 1}],
        {"tenant_settings": {}, "own_rows": None},
        set(),
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_a_server_takes_is_taken_and_nothing_of_it_stays(case, subject):
    statements, fields, tables = GOOD[case]
    state = "SELECT count(*), sum(amount), count(source), (SELECT count(*) FROM trial.small) FROM expenses"
    before = subject.execute(state)
    assert checked(subject.dsn, plan_of(*statements, **fields)).relations["s0"] == tables
    assert subject.execute(state) == before


@pytest.mark.parametrize(
    ("column", "index", "as_text"), [("tenant", 1, True), ("name", 2, True), ("id", 0, False)]
)
def test_the_place_of_the_tenant_is_learnt(column, index, as_text, subject):
    plan = plan_of({"sql": "SELECT id, tenant, name FROM trial.small", "tenant_column": column})
    (statement,) = checked(subject.dsn, plan).statements
    assert (statement.tenant_index, statement.tenant_as_text) == (index, as_text)


def read(sql, *says, **fields):
    return [{"sql": sql, **fields}], {}, says


def write(sql, *says, parameters=None, **fields):
    return [{"kind": "write", "sql": sql, "parameters": parameters or {}, **fields}], {}, says


def own(says, **own_rows):
    return [{"sql": "SELECT 1"}], {"own_rows": {**BASE["own_rows"], **own_rows}}, says


SQL = "workload.statements[0].sql = "
KNOWN = "known are SELECT"
# statements, fields of the workload, and what the error says
BAD = {
    "no word of SQL": read("SELEC 1", SQL, "begins with SELEC", KNOWN),
    "a table that is dropped": read("DROP TABLE expenses", SQL, "begins with DROP", KNOWN),
    "an end of the transaction": read("COMMIT", SQL, "begins with COMMIT"),
    "nothing at all": read("-- soon", SQL, "begins with no word"),
    "two statements": read("SELECT 1; DROP TABLE expenses", SQL, "multiple commands", "one statement"),
    "a mistake": read("SELECT *\nFROM expenses WHERE", SQL, "syntax error at end of input", "mend the SQL"),
    "a place in its line": read(
        "SELECT id,\n totl FROM expenses", SQL, "at totl in line 2", "as the database"
    ),
    "a table that is not there": read("SELECT * FROM nope", SQL, 'relation "nope" does not exist, at nope'),
    "a column that is not there": read("SELECT usr_id FROM expenses", SQL, "user_id"),
    "a function that is not there": read("SELECT nope(1)", SQL, "nope(integer) does not exist", "cast"),
    "a type that does not fit": read(
        "SELECT * FROM expenses WHERE id = %(n)s",
        SQL,
        "operator does not exist: uuid = smallint",
        parameters={"n": {"draw": "choice", "values": [1]}},
    ),
    "a text that is no value": read(
        "SELECT * FROM expenses WHERE id = %(x)s",
        SQL,
        "invalid input syntax for type uuid",
        "%(name)s::type",
        parameters={"x": {"draw": "choice", "values": ["x"]}},
    ),
    "the highest value alone": write(
        INSERT, SQL, "numeric field overflow", "cast it", parameters={"amount": {**AMOUNT, "high": 1e12}}
    ),
    "a table without a grant": read("SELECT * FROM trial.secret", SQL, "permission denied", "grant it"),
    "a read with a write in it": read(
        "WITH x AS (DELETE FROM expenses RETURNING 1) SELECT * FROM x",
        "workload.statements[0].kind = 'read': it writes to public.expenses",
        "its kind is write",
    ),
    "a read that makes a table": read(
        "SELECT 1 AS a INTO TEMP made", "workload.statements[0].kind = 'read'", "SELECT INTO"
    ),
    "a read whose function writes": read(
        "SELECT trial.writes('x')", "workload.statements[0].kind = 'read': it writes: cannot execute INSERT"
    ),
    "columns in another order": read(
        "SELECT 1 AS a, 2 AS b",
        "workload.statements[0].columns = 'b, a': it has a, b",
        columns=["b", "a"],
    ),
    "a tenant column that is not there": read(
        "SELECT user_id FROM expenses",
        "workload.statements[0].tenant_column = 'usr_id'",
        "did you mean user_id?",
        tenant_column="usr_id",
    ),
    "a tenant column that is there twice": read(
        "SELECT 1 AS a, 2 AS a", "workload.statements[0].tenant_column = 'a'", "2 such", tenant_column="a"
    ),
    "more rows than may be": read(
        "SELECT * FROM expenses", "workload.statements[0].max_rows = 3: s0 reads", "rows of", max_rows=3
    ),
    "a read that finds nothing": read(
        "SELECT 1 WHERE false", "--tenants = 2", "s0 reads 0 rows of tenant", min_rows=1
    ),
    "a write that changes nothing": write(
        UPDATE + " AND false",
        "workload.statements[0].min_rows = 1: s0 changes 0 rows of tenant",
        parameters=OWN_ROW,
    ),
    "a write that changes many": write(
        MANY, "workload.statements[0].max_rows = 1: s0 changes 30 rows of tenant"
    ),
    "a write that makes a table": write("SELECT %(tag)s AS a INTO TEMP made", SQL, "it makes a table"),
    "a write of another table": write(
        "INSERT INTO trial.small (tag) VALUES (%(tag)s)",
        "workload.statements[0].sql = 'trial.small': is written to and is none of own_rows.tables",
    ),
    "a row of another tenant": write(
        INSERT.replace("%(tenant)s", "gen_random_uuid()"),
        SQL,
        "row-level security",
        "%(tenant)s alone",
        parameters={"amount": AMOUNT},
    ),
    "a row that breaks a constraint": write(
        INSERT, SQL, "check constraint", "draw values", parameters={"amount": {**AMOUNT, "low": 0}}
    ),
    "a constraint at the commit": (
        [{"kind": "write", "sql": "INSERT INTO trial.own (id, parent, tag) VALUES (7, 8, %(tag)s)"}],
        {"own_rows": {"tables": [{"table": "trial.own", "tag_column": "tag"}]}},
        [SQL, "foreign key constraint"],
    ),
    "a table of own rows that is not there": own(
        ["workload.own_rows.tables[0] = 'nope': relation", "does not exist; name it"],
        tables=[{"table": "nope", "tag_column": "x"}],
    ),
    "a tag column that is not there": own(
        ["workload.own_rows.tables[0]", 'column "sorce" does not exist'],
        tables=[{"table": "expenses", "tag_column": "sorce"}],
    ),
    "an insert without its key": own(
        ["workload.own_rows.insert", "returns 0 rows", "RETURNING"],
        insert=BASE["own_rows"]["insert"].replace(" RETURNING id", ""),
    ),
    "an insert into another table": own(
        ["workload.own_rows.insert = 'trial.small'", "none of own_rows.tables"],
        insert="INSERT INTO trial.small (tenant, tag) VALUES (%(tenant)s, %(tag)s) RETURNING id",
    ),
    "a setting that no setting can be": (
        [{"sql": "SELECT 1"}],
        {"tenant_settings": {"app.x": "a\0b"}},
        ["workload.tenant_settings", "NUL"],
    ),
    "a role that is not there": (
        [{"sql": "SELECT 1"}],
        {"tenant_settings": {"role": "nobody_at_all"}},
        ["workload.tenant_settings", 'role "nobody_at_all" does not exist'],
    ),
    "a policy cost that is wrong": (
        [{"sql": "SELECT 1"}],
        {"policy_cost": {"role": "authenticated", "sql": "SELECT nope"}},
        ["workload.policy_cost.sql = 'SELECT nope'", "at nope"],
    ),
    "a policy cost as nobody": (
        [{"sql": "SELECT 1"}],
        {"policy_cost": {"role": "nobody_at_all", "sql": "SELECT 1"}},
        ["workload.policy_cost.role", 'role "nobody_at_all" does not exist'],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_run_is_told_before_any_load(case, subject):
    statements, fields, says = BAD[case]
    with pytest.raises(ConfigurationError) as caught:
        checked(subject.dsn, plan_of(*statements, **fields))
    error = str(caught.value)
    for text in says:
        assert text in error
    assert "\n" not in error
    assert len(error) < 700
