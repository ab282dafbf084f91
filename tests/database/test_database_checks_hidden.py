"""What would hide a changed row from the trial: one table under two names, and triggers that wait for the commit."""

import pytest
from trying import OWN_ROW, checked, plan_of

from nightbench.errors import ConfigurationError

INSERT = "INSERT INTO hidden.{} (tenant, tag) VALUES (%(tenant)s, %(tag)s) RETURNING id"


@pytest.fixture(scope="module")
def subject(postgres):
    """The reference with tables of one tenant, some of which share rows."""
    postgres.execute(
        """
        CREATE SCHEMA hidden;
        GRANT USAGE ON SCHEMA hidden TO authenticated;
        CREATE TABLE hidden.plain (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant text, tag text);
        CREATE TABLE hidden.other (LIKE hidden.plain INCLUDING ALL);
        CREATE TABLE hidden.log (what text);
        INSERT INTO hidden.log VALUES ('precious');
        CREATE VIEW hidden.seen WITH (security_invoker = true) AS SELECT * FROM hidden.plain;
        CREATE TABLE hidden.whole (id int GENERATED ALWAYS AS IDENTITY, tenant text, tag text) PARTITION BY RANGE (id);
        CREATE TABLE hidden.part PARTITION OF hidden.whole FOR VALUES FROM (0) TO (1000);
        INSERT INTO hidden.plain (tenant) VALUES ('somebody');
        INSERT INTO hidden.whole (tenant) VALUES ('somebody');
        CREATE TABLE hidden.heir () INHERITS (hidden.plain, hidden.other);
        CREATE FUNCTION hidden.trim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
            $$ BEGIN DELETE FROM hidden.log; RETURN NULL; END $$;
        CREATE FUNCTION hidden.put_off() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN SET CONSTRAINTS ALL DEFERRED; RETURN OLD; END $$;
        GRANT ALL ON ALL TABLES IN SCHEMA hidden TO authenticated;
        """
    )
    yield postgres
    postgres.execute("DROP SCHEMA hidden CASCADE")


def own(*tables, into):
    named = [{"table": table, "tag_column": "tag"} for table in tables]
    return {"own_rows": {"tables": named, "insert": INSERT.format(into)}}


def update(table):
    """Changes the row of the worker, and with it the first one."""
    sql = f"UPDATE hidden.{table} SET tenant = 'x' WHERE id = %(id)s OR id = 1"
    return {"kind": "write", "sql": sql, "parameters": OWN_ROW, "max_rows": 2}


# tables of the run, into which of them it writes, what is said of the second
NAMED_TWICE = {
    "the same name": (["hidden.plain", "hidden.plain"], "plain", "it shares rows with hidden.plain"),
    "with its schema and without": (["expenses", "public.expenses"], None, "it shares rows with expenses"),
    "a whole and its part": (["hidden.whole", "hidden.part"], "whole", "only the whole"),
    "a part and its whole": (["hidden.part", "hidden.whole"], "whole", "it shares rows with hidden.part"),
    "two with a common heir": (["hidden.plain", "hidden.other"], "plain", "it shares rows with hidden.plain"),
    "a view of another": (["hidden.plain", "hidden.seen"], "plain", "name the table that it shows"),
}


@pytest.mark.parametrize("case", NAMED_TWICE)
def test_tables_that_share_rows_are_refused(case, subject):
    tables, into, says = NAMED_TWICE[case]
    if into is None:
        named = [{"table": table, "tag_column": "source"} for table in tables]
        plan = plan_of({"sql": "SELECT 1"}, own_rows={"tables": named})
    else:
        plan = plan_of(update(into), **own(*tables, into=into))
    with pytest.raises(ConfigurationError) as caught:
        checked(subject.dsn, plan)
    assert f"workload.own_rows.tables[1] = '{tables[1]}'" in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize("tables", [["whole"], ["whole", "plain"], ["seen"]], ids=str)
def test_tables_that_are_apart_are_taken(tables, subject):
    fields = own(*(f"hidden.{each}" for each in tables), into=tables[0])
    assert checked(subject.dsn, plan_of({"sql": "SELECT 1"}, **fields))


LATE = (
    "CREATE CONSTRAINT TRIGGER late AFTER {} ON hidden.plain DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION hidden.trim();"
)
PUT_OFF = (
    "CREATE TRIGGER put_off BEFORE DELETE ON hidden.plain FOR EACH ROW EXECUTE FUNCTION hidden.put_off();"
)
# triggers, what is said
WAITING = {
    "of an insert": (LATE.format("INSERT"), "it changes hidden.log"),
    "of the removal": (LATE.format("DELETE"), "removing its rows changes hidden.log"),
    "of the removal, put off": (LATE.format("DELETE") + PUT_OFF, "removing its rows changes hidden.log"),
}


@pytest.mark.parametrize("case", WAITING)
def test_a_trigger_that_waits_for_the_commit_is_seen_in_a_mix_of_reads(case, subject):
    triggers, says = WAITING[case]
    gone = "DROP TRIGGER late ON hidden.plain; DROP TRIGGER IF EXISTS put_off ON hidden.plain"
    plan = plan_of({"sql": "SELECT 1"}, **own("hidden.plain", into="plain"))
    with subject.changed(triggers, gone), pytest.raises(ConfigurationError) as caught:
        checked(subject.dsn, plan)
    assert "workload.own_rows.insert" in str(caught.value)
    assert says in str(caught.value)
