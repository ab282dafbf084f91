"""Whether the subject knows the tenants is told before the load; and the example of the documentation can be run."""

import re
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from nightbench.database.checking.checks import as_configuration_errors, check_workload
from nightbench.database.provisions import load_provisions
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Workload, statements_of
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan, changed
from nightbench.plan.file import read_plan_file
from nightbench.plan.pam import PAM
from nightbench.tenants import TENANTS, tenant_id
from nightbench.tiers import TIERS

BASE = PAM.model_dump(exclude_unset=True, exclude={"policy_cost"})
SHOP = re.findall(
    r"^```(\w+)\n(.*?)^```$",
    (Path(__file__).parents[2] / "docs/workload.md").read_text(),
    flags=re.MULTILINE | re.DOTALL,
)


def checked(dsn, plan):
    provisions = load_provisions(plan)
    workload = Workload(statements_of(plan.mix, provisions), provisions.tenants, seed=1, tag="nightbench:x:1")
    with as_configuration_errors(dsn), psycopg.connect(dsn, autocommit=True) as connection:
        return check_workload(connection, workload, TenantSettings(plan.mix.tenant_settings), plan=plan)


def refused(dsn, plan):
    with pytest.raises(ConfigurationError) as caught:
        checked(dsn, plan)
    return str(caught.value)


@pytest.mark.parametrize("workload", [None, BASE])
def test_more_of_the_references_tenants_than_there_are_are_too_many(workload, postgres):
    plan = DatabasePlan(queries=1, workers=1, tenants=TENANTS + 1, workload=workload)
    error = refused(postgres.dsn, plan)
    assert error.startswith(f"--tenants = {TENANTS + 1}: the subject does not have that many")
    assert "lower it" in error


@pytest.mark.parametrize("stranger", [0, 1])
def test_a_tenant_of_a_file_whom_the_subject_does_not_know_is_named(stranger, postgres, tmp_path):
    ids = [str(tenant_id(1)), str(tenant_id(2))]
    ids[stranger] = str(tenant_id(TENANTS + 7))
    file = tmp_path / "people.csv"
    file.write_text("\n".join(["id", *ids]))
    # the write comes first in the mix, and would only speak of a foreign key
    statements = sorted(BASE["statements"], key=lambda each: each["kind"], reverse=True)
    workload = {**BASE, "statements": statements, "own_rows": {**BASE["own_rows"], "insert": None}}
    workload["statements"] = [each for each in statements if each["name"] != "expense_update"]
    plan = DatabasePlan(queries=1, workers=1, workload={**workload, "tenants_file": str(file)})
    error = refused(postgres.dsn, plan)
    assert error.startswith(
        f"workload.tenants_file = '{file}': profile_lookup reads 0 rows of tenant {ids[stranger]}"
    )
    assert "leave out the tenants" in error


@pytest.mark.parametrize(
    ("change", "back", "says"),
    [
        (
            "ALTER VIEW budget_utilization RENAME TO b",
            "ALTER VIEW b RENAME TO budget_utilization",
            ['relation "budget_utilization" does not exist', "load the embedded reference"],
        ),
        (
            "ALTER TABLE expenses RENAME COLUMN source TO s",
            "ALTER TABLE expenses RENAME COLUMN s TO source",
            ['column "source" does not exist', "load the embedded reference"],
        ),
        (
            "REVOKE SELECT ON messages FROM authenticated",
            "GRANT SELECT ON messages TO authenticated",
            ["permission denied for table messages", "must be allowed"],
        ),
        (
            "REVOKE authenticated FROM authenticator",
            "GRANT authenticated TO authenticator WITH INHERIT false, SET true",
            ["permission denied to set role", "must be allowed"],
        ),
    ],
)
def test_a_database_that_does_not_fit_the_default_workload_is_told_as_such(change, back, says, postgres):
    with postgres.changed(change, back):
        error = refused(postgres.dsn, DatabasePlan(queries=1, workers=1))
    assert error.startswith("--dsn / NIGHTBENCH_DATABASE_DSN = ")
    for text in says:
        assert text in error
    assert "\n" not in error


def test_a_connection_that_ends_is_no_mistake_of_the_plan(postgres):
    statement = {"name": "a", "kind": "read", "sql": "SELECT pg_terminate_backend(pg_backend_pid())"}
    workload = {"statements": [statement], "tenant_settings": {}}
    error = refused(postgres.dsn, DatabasePlan(queries=1, workers=1, workload=workload))
    assert error.startswith("--dsn / NIGHTBENCH_DATABASE_DSN = ")
    assert "terminating connection" in error


def test_a_secret_in_a_statement_is_not_shown(postgres):
    sql = "SELECT * FROM nope WHERE url = 'postgresql://me:hunter2@db/x'"
    workload = {"statements": [{"name": "a", "kind": "read", "sql": sql}], "tenant_settings": {}}
    error = refused(postgres.dsn, DatabasePlan(queries=1, workers=1, workload=workload))
    assert "SELECT * FROM nope" in error
    assert "hunter2" not in error


def test_the_shop_of_the_documentation_can_be_run(postgres, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tables, plan, customers) = (
        next(text for kind, text in SHOP if kind == wanted) for wanted in ("sql", "yaml", "csv")
    )
    Path("customers.csv").write_text(customers)
    Path("shop.yaml").write_text(plan)
    plan = changed(TIERS["quick"].database, read_plan_file(Path("shop.yaml")).changes.database)
    postgres.execute("CREATE DATABASE shop")
    postgres.execute("CREATE ROLE shop_app LOGIN PASSWORD 'hunter2'")
    admin, dsn = (
        make_conninfo(postgres.admin_dsn, dbname="shop", **who)
        for who in ({}, {"user": "shop_app", "password": "hunter2"})
    )
    try:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(tables)
            connection.execute("INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cem')")
            connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO shop_app")
        found = checked(dsn, plan)
    finally:
        postgres.execute("DROP DATABASE shop")
        postgres.execute("DROP ROLE shop_app")
    assert load_provisions(plan).tenants == ("1", "2", "3")
    assert {each.name: (each.tenant_index, each.tenant_as_text) for each in found.statements} == {
        "latest_orders": (0, False),
        "place_order": (None, False),
        "change_order": (None, False),
    }
    assert set(found.relations.values()) == {frozenset({"public.orders"})}
