"""What a run writes it removes, also what another run left behind."""

import pytest
from test_database_generator import load

from nightbench.database.metrics import database_validity
from nightbench.database.own_rows import clean_up, exclusive_connection, insert_rows, tag_of
from nightbench.tenants import first_tenants, tenant_id


def kept(server, *, whose="true"):
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
    tenant = tenant_id(1500)
    postgres.execute(
        "INSERT INTO profiles (id, email, display_name) VALUES (%s, 'late@example.org', 'Late')", (tenant,)
    )
    yield tenant
    postgres.execute("DELETE FROM profiles WHERE id = %s", (tenant,))


@pytest.mark.parametrize("tag", ["nightbench:crashed", "nightbench:crashed:50", "nightbench:20261124"])
def test_rows_left_by_a_crashed_run_are_found_and_removed(postgres, tag):
    before = postgres.state()
    with exclusive_connection(postgres.dsn) as connection:
        insert_rows(connection, [tenant_id(1), tenant_id(7)], tag)
    assert postgres.state() != before
    result = load(postgres.dsn, queries=20)
    assert result.left_over_rows == 2
    assert postgres.state() == before


def test_rows_left_by_a_run_with_more_tenants_are_found_by_one_with_fewer(postgres, tenant_1500):
    before = postgres.state()
    with exclusive_connection(postgres.dsn) as connection:
        insert_rows(connection, [tenant_id(1), tenant_1500], tag_of("crashed", tenants=1500))
    result = load(postgres.dsn, queries=20, tenants=2)
    assert result.left_over_rows == 2
    assert postgres.state() == before


def test_as_long_as_rows_are_left_tenant_1_has_one_that_tells_of_them(postgres, tenant_1500):
    before = postgres.state()
    tag = tag_of("interrupted", tenants=1500)
    with exclusive_connection(postgres.dsn) as connection:
        insert_rows(connection, [tenant_id(1), tenant_id(700), tenant_1500], tag)
        with kept(postgres, whose=f"OLD.user_id = '{tenant_id(700)}'"):
            assert clean_up(connection, postgres.dsn, first_tenants(1500), tag) is None
    left = postgres.execute("SELECT user_id FROM expenses WHERE source = %s", (tag,))
    assert {tenant for (tenant,) in left} == {tenant_id(1), tenant_id(700)}
    assert load(postgres.dsn, queries=20, tenants=2).left_over_rows == 2
    assert postgres.state() == before


def test_rows_that_stay_are_told(postgres):
    with kept(postgres):
        result = load(postgres.dsn)
    assert result.removed_rows is None
    (reason,) = database_validity(result).reasons
    assert reason.startswith("its rows tagged nightbench:test-run:50 could not be removed; the next run")
    # also when that one has fewer tenants
    assert load(postgres.dsn, tenants=2).left_over_rows > 4
