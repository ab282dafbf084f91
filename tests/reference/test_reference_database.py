"""The embedded PostgreSQL is Supabase-shaped, seeded the same each time, and keeps tenants apart."""

import psycopg
import pytest
from reference.conftest import CACHE

from nightbench.database.housekeeping.tags import tag_of
from nightbench.plan.pam import PAM
from nightbench.reference.postgres import load_dsn, postgres_instance, reference_template
from nightbench.tenants import SET_TENANT, TENANTS, claims, tenant_id

TABLES = ("profiles", "expenses", "budgets", "conversations", "messages")


@pytest.fixture(scope="module")
def instance():
    with postgres_instance(CACHE, "test-reference", reference_template()) as running:
        yield running


@pytest.fixture
def admin(instance):
    with psycopg.connect(instance.admin_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def dsn(instance):
    return load_dsn(instance)


@pytest.fixture
def tenant(dsn):
    """A transaction of tenant 1, taken back afterwards."""
    with psycopg.connect(dsn) as connection:
        connection.execute(SET_TENANT, (claims(tenant_id(1)),))
        yield connection
        connection.rollback()


def checksums(connection):
    return {
        table: connection.execute(
            f"SELECT count(*), sum(hashtext(t::text)::bigint) FROM {table} AS t"
        ).fetchone()
        for table in TABLES
    }


def test_it_is_postgresql_18_with_its_statistics(admin):
    assert admin.execute("SHOW server_version").fetchone()[0].startswith("18.")
    assert "pg_stat_statements" in admin.execute("SHOW shared_preload_libraries").fetchone()[0]
    assert admin.execute("SELECT count(*) FROM pg_stat_statements").fetchone()[0] > 0


def test_it_is_seeded_with_enough_to_be_real(admin):
    counts = {table: count for table, (count, _) in checksums(admin).items()}
    assert counts["profiles"] == TENANTS >= 1000
    assert counts["expenses"] >= 100_000
    assert min(counts.values()) > 0


def test_the_seed_is_the_same_each_time(admin, tmp_path):
    first = checksums(admin)
    with (
        postgres_instance(tmp_path, "test-reference", reference_template()) as other,
        psycopg.connect(other.admin_dsn) as connection,
    ):
        assert checksums(connection) == first


def test_tenants_have_the_ids_that_the_library_knows(admin):
    ids = {row[0] for row in admin.execute("SELECT id FROM profiles")}
    assert ids == {tenant_id(number) for number in range(1, TENANTS + 1)}


def test_its_categories_are_those_that_a_load_test_inserts(admin):
    (insert,) = (each for each in PAM.statements if each.name == "expense_insert")
    inserted = set(insert.parameters["category"].values)
    assert {row[0] for row in admin.execute("SELECT category FROM expenses")} == inserted
    assert {row[0] for row in admin.execute("SELECT category FROM budgets")} <= inserted


@pytest.mark.parametrize("table", TABLES)
def test_row_level_security_is_forced(admin, table):
    row = admin.execute(
        "SELECT relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) FROM pg_class WHERE oid = %s::regclass",
        (table,),
    ).fetchone()
    assert row == (True, True, "nightbench_owner")


def test_the_load_role_has_no_way_around_it(dsn):
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolinherit FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == ("authenticator", False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT count(*) FROM expenses")


@pytest.mark.parametrize("relation", [*TABLES, "budget_utilization"])
def test_without_a_tenant_there_is_no_row(dsn, relation):
    with psycopg.connect(dsn) as connection:
        connection.execute("SET LOCAL ROLE authenticated")
        assert connection.execute(f"SELECT count(*) FROM {relation}").fetchone() == (0,)


@pytest.mark.parametrize("relation", [*TABLES[1:], "budget_utilization"])
def test_a_tenant_sees_its_own_rows_alone(tenant, relation):
    owners = tenant.execute(f"SELECT DISTINCT user_id FROM {relation}").fetchall()
    assert owners == [(tenant_id(1),)]


def test_a_write_for_another_tenant_is_refused(tenant):
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
        tenant.execute(
            "INSERT INTO expenses (user_id, amount, category, source) VALUES (%s, 1, 'rent', %s)",
            (tenant_id(2), tag_of("test", tenants=2)),
        )
    assert refused.value.sqlstate == "42501"


def test_another_tenants_row_cannot_be_changed(tenant, admin):
    (row,) = admin.execute("SELECT id FROM expenses WHERE user_id = %s LIMIT 1", (tenant_id(2),)).fetchone()
    assert tenant.execute("UPDATE expenses SET amount = 1 WHERE id = %s", (row,)).rowcount == 0


def test_the_view_runs_with_the_rights_of_whoever_asks(admin):
    (options,) = admin.execute(
        "SELECT reloptions FROM pg_class WHERE relname = 'budget_utilization'"
    ).fetchone()
    assert "security_invoker=true" in options


def test_the_view_has_something_to_say(tenant):
    (spent,) = tenant.execute("SELECT sum(spent) FROM budget_utilization").fetchone()
    assert spent > 0


def test_every_foreign_key_has_an_index(admin):
    missing = admin.execute(
        """SELECT conrelid::regclass::text, a.attname FROM pg_constraint
           JOIN pg_attribute AS a ON a.attrelid = conrelid AND a.attnum = conkey[1]
           WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT EXISTS (
               SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1])"""
    ).fetchall()
    assert missing == []
