"""What a run writes it removes, also what another run left behind."""

import psycopg
import pytest
from elsewhere import LINES, ORDERS, shop

from nightbench.database.housekeeping.own_rows import (
    clean_up,
    exclusive_connection,
    housekeeping_connection,
    insert_rows,
    remove_left_over,
)
from nightbench.database.housekeeping.tags import tag_of
from nightbench.database.tenancy import TenantSettings
from nightbench.errors import ConfigurationError
from nightbench.plan.pam import PAM
from nightbench.plan.workload import OwnRows, WrittenTable
from nightbench.tenants import first_tenants, tenant_id

SETTINGS = TenantSettings(PAM.tenant_settings)
NO_TENANTS = TenantSettings({})
INSERT = "INSERT INTO expenses (user_id, amount, category, {0}) VALUES (%(tenant)s, 1, 'rent', %(tag)s)"


def tenants(*numbers):
    return [str(tenant_id(number)) for number in numbers]


def first(count):
    return [str(tenant) for tenant in first_tenants(count)]


def expenses(server):
    """How many there are, and how many of them a run has written."""
    return server.execute("SELECT count(*), count(source) FROM expenses")


def write(server, whose, tag):
    with housekeeping_connection(server.dsn) as connection:
        return insert_rows(connection, PAM.own_rows, SETTINGS, whose, tag)


def sweep(server, whose):
    with exclusive_connection(server.dsn) as connection:
        return remove_left_over(connection, PAM.own_rows, SETTINGS, whose)


def kept(server, *, whose):
    """Rows of `whose` tenants cannot be deleted inside the block."""
    return server.changed(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"  IF {whose} THEN RAISE EXCEPTION 'kept'; END IF; RETURN OLD; END $$;"
        "CREATE TRIGGER keep BEFORE DELETE ON expenses FOR EACH ROW EXECUTE FUNCTION keep()",
        "DROP TRIGGER keep ON expenses; DROP FUNCTION keep()",
    )


@pytest.fixture
def tenant_1500(postgres):
    """A subject that has a tenant more than every run sweeps."""
    (tenant,) = tenants(1500)
    postgres.execute(
        "INSERT INTO profiles (id, email, display_name) VALUES (%s, 'late@example.org', 'Late')", (tenant,)
    )
    yield tenant
    postgres.execute("DELETE FROM profiles WHERE id = %s", (tenant,))


@pytest.fixture(scope="module")
def bought(postgres):
    with shop(postgres) as made:
        yield made


def test_a_row_is_inserted_for_each_tenant_and_its_key_returned(postgres):
    before = expenses(postgres)
    keys = write(postgres, tenants(3, 1, 3), "nightbench:own:3")
    found = dict(postgres.execute("SELECT id, user_id::text FROM expenses WHERE source = 'nightbench:own:3'"))
    assert [found[key] for key in keys] == tenants(3, 1, 3)
    with housekeeping_connection(postgres.dsn) as connection:
        whose, tag = first(3), "nightbench:own:3"
        assert clean_up(connection, postgres.dsn, PAM.own_rows, SETTINGS, whose, tag=tag) == 3
    assert expenses(postgres) == before


def test_rows_come_in_batches_that_are_told_and_none_of_them_stays_when_one_fails(postgres):
    before, told = expenses(postgres), []
    settings = [PAM.own_rows, SETTINGS]
    with housekeeping_connection(postgres.dsn) as connection:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            insert_rows(connection, *settings, [*first(30), *tenants(4000)], "nightbench:many:30")
        assert expenses(postgres) == before
        whose = first(50)
        keys = insert_rows(
            connection, *settings, whose, "nightbench:many:50", on_batch=lambda: told.append(1)
        )
        found = dict(
            postgres.execute("SELECT id, user_id::text FROM expenses WHERE source = 'nightbench:many:50'")
        )
        assert [found[key] for key in keys] == whose
        assert 2 < len(told) < 50
        clean_up(connection, postgres.dsn, *settings, whose, tag="nightbench:many:50")
    assert expenses(postgres) == before


@pytest.mark.parametrize("tag", ["nightbench:crashed:50", "nightbench:20261124T031500Z-1f.2_b:1500"])
def test_rows_left_by_a_crashed_run_are_found_and_removed(postgres, tag):
    before = expenses(postgres)
    write(postgres, tenants(1, 7), tag)
    assert expenses(postgres) != before
    assert sweep(postgres, first(5)) == 2
    assert expenses(postgres) == before


@pytest.mark.parametrize(
    "note", ["nightbench: our load tool", "nightbench:", "nightbench:50", "nightbench:a:b"]
)
def test_what_somebody_wrote_of_nightbench_stays(postgres, note):
    before = expenses(postgres)
    write(postgres, tenants(1), note)
    written = expenses(postgres)
    assert sweep(postgres, first(5)) == 0
    assert expenses(postgres) == written != before
    postgres.execute("DELETE FROM expenses WHERE source = %s", (note,))


def test_rows_left_by_a_run_with_more_tenants_are_found_by_one_with_fewer(postgres, tenant_1500):
    before = expenses(postgres)
    write(postgres, [*tenants(1), tenant_1500], tag_of("crashed", tenants=1500))
    assert sweep(postgres, first(2)) == 2
    assert expenses(postgres) == before


def test_as_long_as_rows_are_left_tenant_1_has_one_that_tells_of_them(postgres, tenant_1500):
    before = expenses(postgres)
    tag = tag_of("interrupted", tenants=1500)
    write(postgres, [*tenants(1, 700), tenant_1500], tag)
    with (
        kept(postgres, whose=f"OLD.user_id = '{tenant_id(700)}'"),
        housekeeping_connection(postgres.dsn) as connection,
    ):
        assert clean_up(connection, postgres.dsn, PAM.own_rows, SETTINGS, first(1500), tag=tag) is None
    left = postgres.execute("SELECT user_id::text FROM expenses WHERE source = %s", (tag,))
    assert {tenant for (tenant,) in left} == set(tenants(1, 700))
    assert sweep(postgres, first(2)) == 2
    assert expenses(postgres) == before


def test_a_second_connection_goes_on_where_the_first_broke(postgres):
    before = expenses(postgres)
    write(postgres, tenants(1, 2), "nightbench:broken:2")
    with housekeeping_connection(postgres.dsn) as connection:
        postgres.execute("SELECT pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))
        tag = "nightbench:broken:2"
        assert clean_up(connection, postgres.dsn, PAM.own_rows, SETTINGS, first(2), tag=tag) == 2
    assert expenses(postgres) == before


def test_a_run_removes_its_own_rows_alone(postgres):
    write(postgres, tenants(1), "nightbench:a_b:1")
    write(postgres, tenants(1), "nightbench:axb:1")
    with housekeeping_connection(postgres.dsn) as connection:
        tag = "nightbench:a_b:1"
        assert clean_up(connection, postgres.dsn, PAM.own_rows, SETTINGS, first(1), tag=tag) == 1
    assert sweep(postgres, first(1)) == 1


@pytest.mark.parametrize(
    ("insert", "says"),
    [
        (INSERT.format("source"), "returned 0 rows, not one; end it with RETURNING"),
        (
            f"WITH row AS ({INSERT.format('source')} RETURNING id) SELECT id FROM row, (VALUES (1), (2))",
            "2 rows",
        ),
        (INSERT.format("description") + " RETURNING id", "cannot be removed again by its tag"),
    ],
    ids=["no key", "two keys", "tag elsewhere"],
)
def test_an_insert_whose_row_would_be_lost_is_refused_and_taken_back(postgres, insert, says):
    before = expenses(postgres)
    own = OwnRows(tables=PAM.own_rows.tables, insert=insert)
    with (
        housekeeping_connection(postgres.dsn) as connection,
        pytest.raises(ConfigurationError, match=r"workload\.own_rows\.insert") as refused,
    ):
        insert_rows(connection, own, SETTINGS, tenants(1), "nightbench:lost:1")
    assert says in str(refused.value)
    assert expenses(postgres) == before


def test_a_tenant_that_may_not_delete_is_told_before_anything_stays(postgres):
    before = expenses(postgres)
    with (
        postgres.changed(
            "CREATE POLICY no_end ON expenses AS RESTRICTIVE FOR DELETE USING (false)",
            "DROP POLICY no_end ON expenses",
        ),
        pytest.raises(ConfigurationError, match="the tenant has to be allowed to delete"),
    ):
        write(postgres, tenants(1), "nightbench:kept:1")
    assert expenses(postgres) == before


def test_tables_are_emptied_in_their_order(bought):
    bought.execute("INSERT INTO orders (note) VALUES ('nightbench:x:1'), ('mine')")
    bought.execute("""INSERT INTO "Lines" SELECT id, 'nightbench:x:1' FROM orders WHERE note <> 'mine'""")
    with housekeeping_connection(bought.dsn) as connection:
        wrong, right = OwnRows(tables=(ORDERS, LINES)), OwnRows(tables=(LINES, ORDERS))
        tag = "nightbench:x:1"
        assert clean_up(connection, bought.dsn, wrong, NO_TENANTS, ["a"], tag=tag) is None
    with housekeeping_connection(bought.dsn) as connection:
        # no setting tells the three apart, so that one of them sees it all
        assert remove_left_over(connection, right, NO_TENANTS, ["a", "b", "c"]) == 2
    assert bought.execute("SELECT note FROM orders") == [("mine",)]
    assert bought.execute('SELECT note FROM "Lines"') == []
    bought.execute("DELETE FROM orders")


def test_a_huge_table_without_an_index_on_its_tags_is_refused_with_the_index(bought):
    bought.execute("INSERT INTO orders (note) VALUES ('nightbench:y:1')")
    # what the server believes, and the analysis of a table of that size would have told it
    bought.execute("UPDATE pg_class SET reltuples = 2e8 WHERE oid = 'orders'::regclass", dsn=bought.admin_dsn)
    own = OwnRows(tables=(LINES, ORDERS))
    with housekeeping_connection(bought.dsn) as connection:
        with pytest.raises(ConfigurationError, match="200,000,000 rows every time") as refused:
            remove_left_over(connection, own, NO_TENANTS, ["a"])
        assert "tables[1].tag_column = 'note'" in str(refused.value)
        way_out = 'CREATE INDEX ON "orders" ("note") WHERE "note" IS NOT NULL'
        assert way_out in str(refused.value)
        bought.execute(way_out)
        connection.execute("SET enable_seqscan = off")  # the table is not as huge as it was made out to be
        assert remove_left_over(connection, own, NO_TENANTS, ["a"]) == 1


@pytest.mark.parametrize(
    ("table", "column"), [("nowhere", "note"), ("orders", "nothing"), ("orders", "id")], ids=str
)
def test_what_cannot_be_looked_through_ends_in_the_servers_words(bought, table, column):
    own = OwnRows(tables=(WrittenTable(table=table, tag_column=column),))
    with housekeeping_connection(bought.dsn) as connection, pytest.raises(psycopg.errors.ProgrammingError):
        remove_left_over(connection, own, NO_TENANTS, ["a"])


def test_two_runs_cannot_have_the_database_at_once(postgres):
    with (
        exclusive_connection(postgres.dsn),
        pytest.raises(ConfigurationError, match="another nightbench run is at work"),
        exclusive_connection(postgres.dsn),
    ):
        pass
    with exclusive_connection(postgres.dsn) as connection:
        name = connection.execute("SHOW application_name").fetchone()
    assert name == ("nightbench housekeeping",)


def test_the_next_run_need_not_wait_until_the_server_sees_that_the_one_before_has_gone(postgres, monkeypatch):
    kept = []

    def keep(connection):
        kept.append(connection)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "close", keep)
        with exclusive_connection(postgres.dsn):
            pass
        with exclusive_connection(postgres.dsn):
            pass
    for connection in kept:
        connection.close()
