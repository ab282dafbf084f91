"""Trying a workload that is a change of the default one, on the reference with tables of its own."""

import psycopg

from nightbench.database.checking.checks import check_workload
from nightbench.database.provisions import load_provisions
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Workload, policy_statement, statements_of
from nightbench.plan import DatabasePlan
from nightbench.plan.pam import PAM

TAG = "nightbench:test:2"
BASE = PAM.model_dump(exclude_unset=True, exclude={"statements", "policy_cost"})
INSERT = (
    "INSERT INTO expenses (user_id, amount, category, source) VALUES (%(tenant)s, %(amount)s, 'x', %(tag)s)"
)
AMOUNT = {"draw": "uniform", "low": 1, "high": 9, "decimals": 2}
UPDATE = "UPDATE expenses SET amount = 2 WHERE id = %(id)s"
OWN_ROW = {"id": {"draw": "own_row"}}


def plan_of(*statements, tenants=2, **fields):
    """A plan of these statements, each a read unless it says otherwise, with other fields of the workload."""
    named = [{"name": f"s{number}", "kind": "read", **each} for number, each in enumerate(statements)]
    workload = {**BASE, "statements": named, **fields}
    return DatabasePlan(queries=1, workers=1, tenants=tenants, workload=workload)


def checked(dsn, plan, **more):
    """What the server told of it."""
    provisions = load_provisions(plan)
    workload = Workload(statements_of(plan.mix, provisions), provisions.tenants, seed=1, tag=TAG)
    settings = TenantSettings(plan.mix.tenant_settings)
    policy = policy_statement(plan.mix, provisions)
    with psycopg.connect(dsn, autocommit=True) as connection:
        return check_workload(connection, workload, settings, plan=plan, policy=policy, **more)
