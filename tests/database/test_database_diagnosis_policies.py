"""Policies that ask for each row what they could ask once, and tables that have none."""

import pytest
from diagnosing import captured, catalog, kinds, node, policy, scan, table

from nightbench.database.diagnosis.policies import (
    asked_once,
    called_functions,
    policy_findings,
    unprotected_tables,
)

COSTLY = {"auth.uid", "current_setting", "is_member"}


@pytest.mark.parametrize(
    ("condition", "better"),
    [
        ("(user_id = auth.uid())", "(user_id = (SELECT auth.uid()))"),
        ("(auth.uid() = user_id)", "((SELECT auth.uid()) = user_id)"),
        (
            "((current_setting('app.tenant'::text, true))::uuid = tenant_id)",
            "(((SELECT current_setting('app.tenant'::text, true)))::uuid = tenant_id)",
        ),
        (
            "((a = auth.uid()) OR (b = ( SELECT auth.uid() AS uid)))",
            "((a = (SELECT auth.uid())) OR (b = ( SELECT auth.uid() AS uid)))",
        ),
        (
            "(EXISTS ( SELECT FROM members m WHERE ((m.team = t.team) AND (m.user_id = auth.uid()))))",
            "(EXISTS ( SELECT FROM members m WHERE ((m.team = t.team) AND (m.user_id = (SELECT auth.uid())))))",
        ),
        ("(is_member(auth.uid()) AND x)", "((SELECT is_member(auth.uid())) AND x)"),
        ("is_member(team_id, auth.uid())", "is_member(team_id, (SELECT auth.uid()))"),
    ],
)
def test_what_is_asked_for_each_row_goes_into_a_sub_select(condition, better):
    assert asked_once(condition, COSTLY) == better


@pytest.mark.parametrize(
    "condition",
    [
        "(user_id = ( SELECT auth.uid() AS uid))",
        "(user_id = ( SELECT COALESCE(auth.uid(), NULL::uuid) AS c))",
        "(team_id IN ( SELECT memberships.team FROM memberships WHERE (memberships.user_id = ( SELECT auth.uid() AS uid))))",
        "is_member(team_id)",
        "is_member(t.team_id)",
        "(amount > (10)::numeric(12,2))",
        "(lower(name) = 'auth.uid()'::text)",
        "true",
    ],
)
def test_what_is_asked_once_or_depends_on_the_row_stays(condition):
    assert asked_once(condition, COSTLY) == condition


def test_keywords_look_like_calls_and_nothing_in_texts_does():
    assert called_functions("((a IN (b, c)) AND (x.f(1) = 'g(2)'::text))") == {"IN", "AND", "x.f"}


def test_the_policy_is_named_with_its_better_form():
    found = catalog(policies=(policy("(user_id = auth.uid())", "(user_id = auth.uid())"),), costly=COSTLY)
    (finding,) = policy_findings(found)
    assert kinds([finding]) == [("policy_per_row", "expenses.own_expenses")]
    assert finding.suggestion.endswith(
        "ALTER POLICY own_expenses ON expenses USING (user_id = (SELECT auth.uid())) "
        "WITH CHECK (user_id = (SELECT auth.uid()))"
    )
    assert "auth.uid()" in finding.text


def test_of_a_volatile_function_it_is_only_said_what_to_do_if_its_answer_is_the_same():
    found = catalog(policies=(policy("(a = auth.uid())"),), costly=COSTLY, volatile={"auth.uid"})
    (finding,) = policy_findings(found)
    assert "the same for all" not in finding.text
    assert "auth.uid() is VOLATILE" in finding.text
    assert finding.suggestion.startswith("where it does not, declare it STABLE and ask once")


def test_only_the_half_that_is_wrong_is_rewritten():
    found = catalog(
        policies=(policy("(a = auth.uid())", "(a = ( SELECT auth.uid() AS uid))"),), costly=COSTLY
    )
    (finding,) = policy_findings(found)
    assert "WITH CHECK" not in finding.suggestion


def test_a_function_that_costs_nothing_is_none_of_our_business():
    assert not list(policy_findings(catalog(policies=(policy("(at < now())"),), costly=COSTLY)))


OPEN = table(row_security=False)
LISTING = captured(
    node("Limit", scan(), Output=["expenses.user_id", "expenses.id"]), tenant_column="user_id", tenant_index=0
)
NAMED = {"listing": {"public.expenses"}}


def unprotected(tables, plan, relations=NAMED):
    return [each.subject for each in unprotected_tables(catalog(tables=tables), [plan], relations)]


def test_a_table_of_tenants_without_row_security_is_named():
    assert unprotected([OPEN], LISTING) == ["expenses"]
    assert unprotected([table()], LISTING) == []


def test_a_tenant_that_comes_from_a_view_is_looked_for_by_name():
    behind = captured(
        node("Subquery Scan", scan(), Alias="view", Output=["view.user_id"]),
        tenant_column="user_id",
        tenant_index=0,
    )
    assert unprotected([OPEN], behind) == ["expenses"]


def test_a_statement_without_tenants_says_nothing_of_its_tables():
    assert unprotected([OPEN], captured(scan())) == []


def test_a_table_without_tenants_beside_it_needs_no_policy():
    rates = table(2, "rates", row_security=False, currency="text", rate="numeric")
    both = {"listing": {"public.expenses", "public.rates"}}
    assert unprotected([table(), rates], LISTING, both) == []
