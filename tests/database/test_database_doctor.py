"""`nightbench doctor` on a real PostgreSQL: what would spoil a night there is told, and nothing changes."""

from __future__ import annotations

import psycopg
import pytest
from elsewhere import shop

from nightbench import settings as settings_module
from nightbench.database.housekeeping.own_rows import exclusive_connection, insert_rows
from nightbench.database.tenancy import TenantSettings
from nightbench.doctor import clock, database, statements
from nightbench.errors import ConfigurationError
from nightbench.plan.pam import PAM
from nightbench.tenants import tenant_id
from nightbench.tiers import TIERS

PLAN = TIERS["full"].database
TENANT = str(tenant_id(1))


def _settings(dsn):
    return settings_module.load({"database_dsn": dsn})


def _server(dsn):
    return {each.name: each for each in database.database_findings(_settings(dsn), PLAN)}


def _tried(dsn, plan=PLAN):
    return {each.name: each for each in statements.statement_findings(_settings(dsn), plan)}


def test_all_is_well_with_the_reference_and_nothing_of_the_trial_stays(postgres):
    before = postgres.state()
    found = _server(postgres.dsn) | _tried(postgres.dsn)
    assert {name: each.state for name, each in found.items()} == dict.fromkeys(
        (
            *("PostgreSQL", "connections", "write permission", "pg_stat_statements", "leftovers"),
            *("role", "statements", "row-level security"),
        ),
        "ok",
    )
    assert postgres.state() == before


def test_where_nobody_allowed_it_nothing_is_tried(postgres):
    with shop(postgres) as bought:
        assert _server(bought.app_dsn)["write permission"].state == "failure"
        assert "nightbench database prepare" in _server(bought.app_dsn)["write permission"].mend
        assert _tried(bought.app_dsn)["statements"].why.startswith("not tried: nobody has allowed")


def test_a_role_that_policies_do_not_bind_is_a_failure(postgres):
    mix = PAM.model_copy(update={"tenant_settings": {**PAM.tenant_settings, "role": "service_role"}})
    found = _tried(postgres.dsn, PLAN.model_copy(update={"workload": mix}))
    assert found["role"].state == "failure"
    assert "BYPASSRLS" in found["role"].why


def test_a_table_without_row_level_security_is_named(postgres):
    with postgres.changed(
        "ALTER TABLE public.budgets DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE public.budgets ENABLE ROW LEVEL SECURITY",
    ):
        finding = _tried(postgres.dsn)["row-level security"]
    assert (finding.state, "public.budgets" in finding.why) == ("warning", True)


def test_a_statement_that_does_not_run_is_a_failure_with_the_way_out(postgres):
    with postgres.changed(
        "ALTER TABLE public.expenses RENAME TO gone", "ALTER TABLE public.gone RENAME TO expenses"
    ):
        finding = _tried(postgres.dsn)["statements"]
    assert finding.state == "failure"
    assert "expenses" in finding.why


def test_rows_of_a_run_that_was_killed_are_told_and_not_removed(postgres):
    own, settings, tag = PAM.own_rows, TenantSettings(PAM.tenant_settings), "nightbench:killed:1000"
    with exclusive_connection(postgres.dsn) as connection:
        insert_rows(connection, own, settings, [TENANT], tag)
    try:
        finding = _server(postgres.dsn)["leftovers"]
        assert (finding.state, finding.mend) == ("warning", "nightbench database clean")
        assert _server(postgres.dsn)["leftovers"] == finding
    finally:
        for table in own.tables:
            postgres.execute(f"DELETE FROM {table.table} WHERE {table.tag_column} = %s", (tag,))


def test_a_database_that_a_run_holds_is_left_alone(postgres):
    with exclusive_connection(postgres.dsn):
        assert _tried(postgres.dsn)["statements"].why == "not tried: a run is at work in this database"
        assert _server(postgres.dsn)["leftovers"].state == "ok"


def test_it_never_holds_the_lock_that_a_night_needs(postgres):
    looking = statements.statement_findings(_settings(postgres.dsn), PLAN)
    next(looking)  # its connection is open
    with exclusive_connection(postgres.dsn):
        pass
    looking.close()


def test_a_wrong_password_is_a_configuration_error_that_does_not_repeat_it(postgres):
    dsn = postgres.dsn.replace(postgres.dsn.split(":")[2].split("@")[0], "hunter2-wrong")
    with pytest.raises(ConfigurationError) as refused:
        _server(dsn)
    assert "hunter2" not in str(refused.value)
    assert _tried(dsn) == {}, "the check of the server has told it"


def test_the_clock_of_this_machine_is_the_clock_of_its_own_server(postgres):
    (finding,) = clock.database_clock_findings(_settings(postgres.dsn))
    assert finding.state == "ok"


def test_a_clock_that_cannot_be_asked_is_no_line(postgres):
    with psycopg.connect(postgres.admin_dsn):
        gone = postgres.dsn.replace(f":{postgres.port}/", ":1/")
    assert list(clock.database_clock_findings(_settings(gone))) == []
