"""Load tests write only where somebody allowed it, and check policies only as a role that they bind."""

import psycopg
import pytest
from elsewhere import shop

from nightbench.allowed import Place
from nightbench.database.housekeeping.own_rows import housekeeping_connection
from nightbench.database.housekeeping.permission import check_permission, check_roles, mark_of, place_of
from nightbench.database.housekeeping.prepare import prepare_database, withdraw_permission
from nightbench.database.tenancy import TenantSettings
from nightbench.errors import ConfigurationError
from nightbench.plan.pam import PAM
from nightbench.plan.workload import StatementPlan, WorkloadPlan
from nightbench.tenants import tenant_id

READS = WorkloadPlan(statements=(StatementPlan(name="now", kind="read", sql="SELECT now()"),))
PROFILES = {"profile_lookup": frozenset({"public.profiles"})}
TENANT = str(tenant_id(1))


@pytest.fixture(scope="module")
def bought(postgres):
    with shop(postgres) as made:
        yield made


def allow(dsn, mix=PAM, *, allowed=()):
    with housekeeping_connection(dsn) as connection:
        check_permission(connection, mix, allowed=allowed)


def check(dsn, role=None, mix=PAM, relations=PROFILES):
    settings = TenantSettings({} if role is None else {"role": role})
    with housekeeping_connection(dsn) as connection:
        check_roles(connection, mix, settings, relations, TENANT)


def test_the_reference_says_itself_that_it_may_be_written_to(postgres):
    allow(postgres.dsn)


def test_a_database_of_somebody_elses_is_refused_with_three_ways_out(bought):
    with pytest.raises(ConfigurationError, match="nobody has allowed load tests to write") as refused:
        allow(bought.app_dsn)
    for way_out in (
        "`nightbench database prepare --dsn`",
        f"NIGHTBENCH_DATABASE_ALLOWED={bought.place}",
        "leave the DSN out",
    ):
        assert way_out in str(refused.value)
    # as it says
    allow(bought.app_dsn, allowed=["elsewhere/shop", bought.place])


def test_a_workload_that_only_reads_may_run_anywhere(bought):
    allow(bought.app_dsn, READS)


@pytest.mark.parametrize(
    "entry",
    ["127.0.0.1/{name}", "127.0.0.1:{port}/other", "localhost:{port}/{name}", "127.0.0.1:{port}/{NAME}"],
)
def test_another_place_in_the_allow_list_allows_nothing_here(postgres, bought, entry):
    entry = entry.format(port=postgres.port, name=bought.name, NAME=bought.name.upper())
    with pytest.raises(ConfigurationError, match="nobody has allowed"):
        allow(bought.app_dsn, allowed=[entry])


def test_a_prepared_database_may_be_written_to_until_that_is_taken_back(bought):
    assert prepare_database(bought.dsn)[1] is True
    assert prepare_database(bought.dsn)[1] is False
    allow(bought.app_dsn)
    assert withdraw_permission(bought.dsn)[1] is True
    assert withdraw_permission(bought.dsn)[1] is False
    assert bought.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'nightbench'") == []
    with pytest.raises(ConfigurationError, match="nobody has allowed"):
        allow(bought.app_dsn)


def test_a_dump_does_not_carry_the_permission_along(postgres, bought):
    with housekeeping_connection(postgres.dsn) as connection:
        comment = mark_of(connection).comment
    bought.execute(f"CREATE SCHEMA nightbench; COMMENT ON SCHEMA nightbench IS '{comment}'")
    with pytest.raises(ConfigurationError, match="nobody has allowed"):
        allow(bought.app_dsn)
    # but it can be given anew
    assert prepare_database(bought.dsn)[1] is True
    allow(bought.app_dsn)
    withdraw_permission(bought.dsn)


def test_what_somebody_has_put_into_the_schema_stays(bought):
    prepare_database(bought.dsn)
    bought.execute("CREATE TABLE nightbench.mine ()")
    assert withdraw_permission(bought.dsn)[1] is True
    with housekeeping_connection(bought.dsn) as connection:
        mark = mark_of(connection)
    assert (mark.schema, mark.comment) == (True, None)
    bought.execute("DROP SCHEMA nightbench CASCADE")


def test_a_schema_of_that_name_with_another_meaning_is_left_alone(bought):
    bought.execute("CREATE SCHEMA nightbench; COMMENT ON SCHEMA nightbench IS 'my nights'")
    with pytest.raises(ConfigurationError, match="somebody else's"):
        prepare_database(bought.dsn)
    assert withdraw_permission(bought.dsn)[1] is False
    with housekeeping_connection(bought.dsn) as connection:
        assert mark_of(connection).comment == "my nights"
    bought.execute("DROP SCHEMA nightbench")


def test_who_does_not_own_the_database_cannot_prepare_it(bought):
    with pytest.raises(
        ConfigurationError,
        match=r"authenticator may not do that: permission denied .*; use the DSN of the owner",
    ):
        prepare_database(bought.app_dsn)


def test_a_server_that_is_read_only_cannot_be_prepared(bought):
    dsn = bought.dsn + "?options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(ConfigurationError, match="the server is read-only; use its primary"):
        prepare_database(dsn)


def test_a_role_that_policies_bind_is_as_it_should_be(postgres):
    check(postgres.dsn, "authenticated")
    # nor is the superuser refused who becomes such a role for each transaction
    check(postgres.admin_dsn, "authenticated")


def test_without_rows_to_be_checked_any_role_is_right(postgres):
    check(postgres.admin_dsn, mix=READS, relations={"now": frozenset()})


def test_a_table_without_policies_is_no_matter_of_the_role(bought):
    bought.execute("CREATE TABLE free (user_id text)")
    check(bought.dsn, relations={"profile_lookup": frozenset({"public.free"})})


@pytest.mark.parametrize(
    ("who", "role", "says"),
    [
        ("admin_dsn", None, "NIGHTBENCH_DATABASE_DSN = 'postgres': it is a superuser"),
        ("admin_dsn", "postgres", "tenant_settings.role = 'postgres': it is a superuser"),
        ("dsn", "service_role", "tenant_settings.role = 'service_role': it has BYPASSRLS"),
    ],
)
def test_a_role_that_no_policy_binds_is_refused_with_the_way_out(postgres, who, role, says):
    with pytest.raises(ConfigurationError, match=r"set workload\.tenant_settings\.role to") as refused:
        check(getattr(postgres, who), role)
    assert says in str(refused.value)


def test_the_owner_of_a_table_is_bound_only_where_that_is_forced(bought):
    bought.execute("CREATE TABLE owned (user_id text); ALTER TABLE owned ENABLE ROW LEVEL SECURITY")
    relations = {"profile_lookup": frozenset({"public.owned"})}
    with pytest.raises(ConfigurationError, match=r"does not bind it in public\.owned, which it owns"):
        check(bought.dsn, relations=relations)
    bought.execute("ALTER TABLE owned FORCE ROW LEVEL SECURITY")
    check(bought.dsn, relations=relations)


def test_an_exempt_role_is_there_for_what_the_policies_cost(postgres):
    with psycopg.connect(postgres.dsn) as connection:
        connection.execute("SET LOCAL ROLE service_role")
        assert connection.execute("SELECT count(*) FROM profiles").fetchone() == (1000,)


def test_the_address_that_libpq_connects_to_is_the_one_that_counts(postgres):
    dsn = postgres.dsn.replace("@127.0.0.1:", "@staging.example.org:") + "?hostaddr=127.0.0.1"
    with psycopg.connect(dsn) as connection:
        assert place_of(connection) == Place("127.0.0.1", postgres.port, "pam")
