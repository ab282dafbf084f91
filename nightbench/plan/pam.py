"""The default workload: the assistant's own mix, 80 % reads and 20 % writes, under row-level security."""

from __future__ import annotations

from nightbench.plan.parameters import ParameterDraw
from nightbench.plan.workload import (
    OwnRows,
    PolicyCost,
    StatementPlan,
    WorkloadPlan,
    WrittenTable,
)

_AMOUNT = ParameterDraw(draw="uniform", low=0.01, high=500, decimals=2)
_OFFSET = ParameterDraw(draw="uniform", high=60, step=20)
_CATEGORIES = ("groceries", "rent", "transport", "dining", "leisure", "health", "travel", "other")
"""Those of the reference's own expenses: what a run inserts is spread as what was there."""

_LISTING = "SELECT user_id, id, amount, currency, category, description, spent_on FROM expenses "
_PAGE = "ORDER BY spent_on DESC LIMIT 20 OFFSET %(offset)s"

PAM = WorkloadPlan(
    tenant_settings={
        "role": "authenticated",
        # as Supabase's gateway sets them
        "request.jwt.claims": '{"sub": "${tenant}", "role": "authenticated"}',
    },
    statements=(
        StatementPlan(
            name="profile_lookup",
            kind="read",
            weight=25,
            sql="SELECT id, email, display_name, currency, timezone FROM profiles WHERE id = %(tenant)s",
            tenant_column="id",
            min_rows=1,
            max_rows=1,
        ),
        StatementPlan(
            name="expense_listing",
            kind="read",
            weight=25,
            # no condition on the tenant: row-level security alone narrows it, as under PostgREST
            sql=_LISTING + _PAGE,
            parameters={"offset": _OFFSET},
            tenant_column="user_id",
            max_rows=20,
        ),
        StatementPlan(
            name="budget_utilization",
            kind="read",
            weight=15,
            sql="SELECT user_id, category, month, monthly_limit, spent, utilization_percent "
            "FROM budget_utilization ORDER BY category",
            tenant_column="user_id",
        ),
        StatementPlan(
            name="conversation_history",
            kind="read",
            weight=15,
            sql="SELECT message.user_id, conversation.title, message.role, message.content, message.created_at, "
            "profile.display_name "
            "FROM conversations AS conversation "
            "JOIN messages AS message ON message.conversation_id = conversation.id "
            "JOIN profiles AS profile ON profile.id = conversation.user_id "
            "ORDER BY message.created_at DESC LIMIT 50",
            tenant_column="user_id",
            max_rows=50,
        ),
        StatementPlan(
            name="expense_insert",
            kind="write",
            weight=12,
            sql="INSERT INTO expenses (user_id, amount, category, description, spent_on, source) "
            "VALUES (%(tenant)s, %(amount)s, %(category)s, 'load test', date '2026-01-01' + %(day)s, %(tag)s)",
            parameters={
                "amount": _AMOUNT,
                "category": ParameterDraw(draw="choice", values=_CATEGORIES),
                "day": ParameterDraw(draw="uniform", high=27),
            },
        ),
        StatementPlan(
            name="expense_update",
            kind="write",
            weight=8,
            sql="UPDATE expenses SET amount = %(amount)s, updated_at = now() WHERE id = %(id)s",
            parameters={"amount": _AMOUNT, "id": ParameterDraw(draw="own_row")},
        ),
    ),
    own_rows=OwnRows(
        tables=(WrittenTable(table="expenses", tag_column="source"),),
        insert="INSERT INTO expenses (user_id, amount, category, description, source) "
        "VALUES (%(tenant)s, 1, 'groceries', 'load test', %(tag)s) RETURNING id",
    ),
    policy_cost=PolicyCost(
        role="service_role",
        # names the tenant itself, so that it has the same rows and the same plan without the policy
        sql=_LISTING + "WHERE user_id = %(tenant)s " + _PAGE,
        parameters={"offset": _OFFSET},
    ),
)
