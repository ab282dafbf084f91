"""What a run may write is its own and removed again: what would touch other rows is refused before any load."""

import pytest
from trying import AMOUNT, BASE, INSERT, OWN_ROW, UPDATE, checked, plan_of

from nightbench.errors import ConfigurationError

OWN = BASE["own_rows"]
SQL = "workload.statements[0].sql = "
CASH = "INSERT INTO cash.{} (tenant, tag) VALUES (%(tenant)s, %(tag)s)"


@pytest.fixture(scope="module")
def subject(postgres):
    """The reference with tables whose triggers and functions write."""
    postgres.execute(
        """
        CREATE SCHEMA cash;
        GRANT USAGE ON SCHEMA cash TO authenticated;
        CREATE TABLE cash.log (what text, tag text);
        CREATE TABLE cash.audited (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant text, tag text);
        CREATE TABLE cash.touched (LIKE cash.audited INCLUDING ALL);
        CREATE TABLE cash.kept (LIKE cash.audited INCLUDING ALL);
        CREATE TABLE cash.undone (LIKE cash.audited INCLUDING ALL);
        INSERT INTO cash.touched (tenant) VALUES ('somebody');
        CREATE VIEW cash.seen WITH (security_invoker = true) AS SELECT * FROM cash.touched;
        CREATE FUNCTION cash.log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
            $$ BEGIN INSERT INTO cash.log VALUES (TG_OP); RETURN NULL; END $$;
        CREATE FUNCTION cash.stamp() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.tenant := upper(NEW.tenant); RETURN NEW; END $$;
        CREATE TRIGGER log AFTER INSERT ON cash.audited FOR EACH ROW EXECUTE FUNCTION cash.log();
        CREATE TRIGGER log AFTER DELETE ON cash.undone FOR EACH ROW EXECUTE FUNCTION cash.log();
        CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON cash.touched FOR EACH ROW EXECUTE FUNCTION cash.stamp();
        CREATE FUNCTION cash.change(text) RETURNS int LANGUAGE sql
            AS 'UPDATE cash.touched SET tenant = $1 RETURNING id';
        CREATE FUNCTION cash.empty(text) RETURNS void LANGUAGE sql SECURITY DEFINER AS 'TRUNCATE cash.touched';
        CREATE FUNCTION cash.noted() RETURNS int LANGUAGE sql AS $$INSERT INTO cash.log VALUES ('x') RETURNING 1$$;
        ALTER TABLE cash.kept ENABLE ROW LEVEL SECURITY;
        CREATE POLICY reading ON cash.kept FOR SELECT USING (true);
        CREATE POLICY writing ON cash.kept FOR INSERT WITH CHECK (true);
        GRANT ALL ON ALL TABLES IN SCHEMA cash TO authenticated;
        """
    )
    yield postgres
    postgres.execute("DROP SCHEMA cash CASCADE")


def write(sql, **fields):
    return {"kind": "write", "sql": sql, **fields}


def owned(table, *, insert=False, **fields):
    """Own rows in a table of this test's."""
    insert = {"insert": f"{CASH.format(table)} RETURNING id"} if insert else {}
    return {"own_rows": {"tables": [{"table": f"cash.{table}", "tag_column": "tag"}], **insert, **fields}}


# a statement, fields of the workload
GOOD = {
    "an insert": (write(INSERT, parameters={"amount": AMOUNT}), {}),
    "an insert that stands back": (
        write(INSERT + " ON CONFLICT DO NOTHING", parameters={"amount": AMOUNT}),
        {},
    ),
    "an insert inside of a read": (
        write(f"WITH made AS ({INSERT} RETURNING 1) SELECT * FROM made", parameters={"amount": AMOUNT}),
        {},
    ),
    "an update of the worker's own row": (write(UPDATE, parameters=OWN_ROW), {}),
    "one that changes nothing of it": (
        write("UPDATE expenses SET amount = amount WHERE id = %(id)s", parameters=OWN_ROW),
        {},
    ),
    "a deletion of it": (write("DELETE FROM expenses WHERE id = %(id)s", parameters=OWN_ROW), {}),
    "a row that takes its place": (
        write(
            INSERT.replace("(user_id", "(id, user_id").replace("(%(tenant)s", "(%(id)s, %(tenant)s")
            + " ON CONFLICT (id) DO UPDATE SET amount = excluded.amount",
            parameters={**OWN_ROW, "amount": AMOUNT},
        ),
        {},
    ),
    "a trigger that changes the row before it is written": (
        write("UPDATE cash.touched SET tenant = 'x' WHERE id = %(id)s", parameters=OWN_ROW),
        owned("touched", insert=True),
    ),
    "an own row behind a view": (
        write("UPDATE cash.seen SET tenant = tenant WHERE id = %(id)s", parameters=OWN_ROW),
        owned("seen", insert=True),
    ),
    "a trigger whose writes are no matter": (
        write(CASH.format("audited")),
        owned("audited", also_written=["cash.log"]),
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_writes_rows_of_its_own_is_taken(case, subject):
    statement, fields = GOOD[case]
    state = (
        "SELECT count(*), sum(amount), count(source), (SELECT sum(hashtext(t::text)) FROM cash.touched AS t)"
    )
    before = subject.execute(f"{state} FROM expenses")
    assert checked(subject.dsn, plan_of(statement, **fields))
    assert subject.execute(f"{state} FROM expenses") == before


WITH_OWN = {"parameters": OWN_ROW, "max_rows": 100_000}
NOT_ITS_OWN = "changes rows that were there before"
NOTHING_SAYS = (
    "= 'public.expenses': its rows are updated or deleted, and nothing says that the run wrote them"
)
# a statement, fields of the workload, and what is said of it
BAD = {
    "an existing row that is adopted": (
        write("UPDATE expenses SET source = %(tag)s WHERE amount > 0", max_rows=100_000),
        {},
        [SQL.removesuffix("= ") + NOTHING_SAYS, "draw: own_row"],
    ),
    "the rows of everybody else": (
        write("DELETE FROM expenses WHERE source IS DISTINCT FROM %(tag)s", max_rows=100_000),
        {},
        [NOTHING_SAYS],
    ),
    "an insert that changes the row that is there": (
        write(
            INSERT + " ON CONFLICT (id) DO UPDATE SET source = excluded.source", parameters={"amount": AMOUNT}
        ),
        {},
        [NOTHING_SAYS],
    ),
    "an update inside of an insert": (
        write(
            f"WITH x AS (UPDATE expenses SET amount = 1) {INSERT}",
            parameters={"amount": AMOUNT},
        ),
        {},
        [NOTHING_SAYS],
    ),
    "a merge": (
        write(
            "MERGE INTO expenses USING (SELECT %(tag)s::text AS tag) AS new ON source IS NULL "
            "WHEN MATCHED THEN UPDATE SET source = new.tag",
            max_rows=100_000,
        ),
        {},
        [NOTHING_SAYS],
    ),
    "all rows but the own one": (
        write("DELETE FROM expenses WHERE id <> %(id)s", **WITH_OWN),
        {},
        [SQL, NOT_ITS_OWN, "and no other"],
    ),
    "one more than the own one": (
        write("UPDATE expenses SET amount = 1 WHERE id = %(id)s OR spent_on < now()", **WITH_OWN),
        {},
        [NOT_ITS_OWN],
    ),
    "another row that is adopted": (
        write(
            "UPDATE expenses SET source = %(tag)s WHERE id = (SELECT min(id::text)::uuid FROM expenses "
            "WHERE id <> %(id)s)",
            **WITH_OWN,
        ),
        {},
        ["1 without the tag of the run"],
    ),
    "an own row that loses its tag": (
        write("UPDATE expenses SET source = NULL WHERE id = %(id)s", parameters=OWN_ROW),
        {},
        [SQL, "1 of the rows that it writes would not be found again", "stays there"],
    ),
    "a tag that is somewhere else": (
        write(INSERT.replace("source", "description"), parameters={"amount": AMOUNT}),
        {},
        [SQL, "1 of the rows that it writes would not be found again"],
    ),
    "a tag that is somewhere else in the row of the worker": (
        write(UPDATE, parameters=OWN_ROW),
        {"own_rows": {**OWN, "insert": OWN["insert"].replace("description, source", "source, description")}},
        ["workload.own_rows.insert", "would not be found again by their tag"],
    ),
    "a function that changes what is there": (
        write("SELECT cash.change(%(tag)s)"),
        owned("touched"),
        [SQL, NOT_ITS_OWN],
    ),
    "a function that empties a table": (
        write("SELECT cash.empty(%(tag)s)"),
        owned("touched"),
        [SQL, "it changes cash.touched as well, by a function or a trigger"],
    ),
    "other rows behind a view": (
        write("UPDATE cash.seen SET tenant = 'x' WHERE id >= 0 OR id = %(id)s", **WITH_OWN),
        owned("seen", insert=True),
        [NOT_ITS_OWN],
    ),
    "a trigger that writes elsewhere": (
        write(CASH.format("audited")),
        owned("audited"),
        [SQL, "it changes cash.log as well", "own_rows.also_written"],
    ),
    "the row of the worker with such a trigger": (
        {"sql": "SELECT 1"},
        owned("audited", insert=True),
        ["workload.own_rows.insert", "it changes cash.log as well"],
    ),
    "a removal that writes elsewhere": (
        write(CASH.format("undone")),
        owned("undone"),
        [SQL, "removing its rows changes cash.log as well"],
    ),
    "a row that may not be deleted": (
        write(CASH.format("kept")),
        owned("kept"),
        [SQL, "cannot be removed again", "allowed to delete"],
    ),
    "another table that is not there": (
        write(CASH.format("audited")),
        owned("audited", also_written=["cash.nope"]),
        ["workload.own_rows.also_written[0] = 'cash.nope'", "does not exist"],
    ),
    "a read that locks, where nothing may be written": (
        {"sql": "SELECT id FROM expenses FOR SHARE"},
        {"own_rows": None},
        [SQL, "it locks rows, which writes to them", "with own_rows"],
    ),
    "a read that locks and writes": (
        {"sql": "SELECT cash.noted() FROM expenses FOR UPDATE"},
        {},
        ["workload.statements[0].kind = 'read': it writes to cash.log"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_touches_another_row_is_told_before_any_load(case, subject):
    statement, fields, says = BAD[case]
    with pytest.raises(ConfigurationError) as caught:
        checked(subject.dsn, plan_of(statement, **fields))
    for text in says:
        assert text in str(caught.value)


def test_a_rule_that_writes_besides_is_seen(subject):
    statement = write("INSERT INTO cash.touched (tenant, tag) VALUES (%(tenant)s, %(tag)s)")
    rule = (
        "CREATE RULE twice AS ON INSERT TO cash.touched DO ALSO DELETE FROM cash.touched WHERE tag IS NULL",
        "DROP RULE twice ON cash.touched",
    )
    with subject.changed(*rule), pytest.raises(ConfigurationError, match=r"= 'cash\.touched': its rows are"):
        checked(subject.dsn, plan_of(statement, **owned("touched")))
