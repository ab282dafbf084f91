"""The rows that the tenants see are counted before and after a run: exactly, and not for ever."""

import pytest
from elsewhere import LINES, ORDERS, shop

from nightbench.database.housekeeping.own_rows import clean_up, housekeeping_connection, insert_rows
from nightbench.database.housekeeping.row_counts import row_counts
from nightbench.database.tenancy import TenantSettings
from nightbench.plan.pam import PAM
from nightbench.plan.workload import OwnRows, WrittenTable
from nightbench.tenants import first_tenants

SETTINGS = TenantSettings(PAM.tenant_settings)
TENANTS = [str(tenant) for tenant in first_tenants(1000)]


@pytest.fixture
def connection(postgres):
    with housekeeping_connection(postgres.dsn) as open_one:
        yield open_one


@pytest.fixture(scope="module")
def bought(postgres):
    with shop(postgres) as made:
        made.execute("INSERT INTO orders (note) VALUES ('a'), ('b')")
        yield made


def test_they_agree_before_and_after_and_differ_in_between(postgres, connection):
    before = row_counts(connection, PAM.own_rows, SETTINGS, TENANTS)
    assert before == {"expenses": postgres.execute("SELECT count(*) FROM expenses")[0][0]}
    tag = "nightbench:counted:1000"
    insert_rows(connection, PAM.own_rows, SETTINGS, TENANTS[:3], tag)
    assert row_counts(connection, PAM.own_rows, SETTINGS, TENANTS)["expenses"] == before["expenses"] + 3
    clean_up(connection, postgres.dsn, PAM.own_rows, SETTINGS, TENANTS, tag=tag)
    assert row_counts(connection, PAM.own_rows, SETTINGS, TENANTS) == before


def test_rows_of_tenants_that_take_no_part_are_not_counted(postgres, connection):
    one = row_counts(connection, PAM.own_rows, SETTINGS, TENANTS[:1])["expenses"]
    of_tenant_1 = postgres.execute("SELECT count(*) FROM expenses WHERE user_id = %s", (TENANTS[0],))
    assert [(one,)] == of_tenant_1


def test_a_table_that_no_policy_narrows_is_counted_once(bought):
    own = OwnRows(tables=(LINES, ORDERS))
    settings = TenantSettings({"shop.tenant": "${tenant}"})
    with housekeeping_connection(bought.dsn) as connection:
        assert row_counts(connection, own, settings, ["a", "b"]) == {"public.Lines": 0, "orders": 2}


def test_each_batch_says_that_it_goes_on(connection):
    batches = []
    row_counts(connection, PAM.own_rows, SETTINGS, TENANTS[:20], on_batch=lambda: batches.append(1))
    assert len(batches) > 3


def test_what_takes_too_long_is_left_out_and_the_connection_goes_on(bought):
    bought.execute("CREATE VIEW slow AS SELECT 'a' AS note FROM pg_sleep(60)")
    own = OwnRows(tables=(WrittenTable(table="slow", tag_column="note"), ORDERS))
    with housekeeping_connection(bought.dsn) as connection:
        connection.execute("SET statement_timeout = 500")
        assert row_counts(connection, own, TenantSettings({}), ["a"]) == {"orders": 2}
        assert row_counts(connection, own, TenantSettings({}), ["a"], seconds=0) == {}
