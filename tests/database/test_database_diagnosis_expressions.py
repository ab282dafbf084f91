"""Expressions as the server prints them: what is compared with what, and nothing that is not certain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.database.diagnosis.expressions import comparisons, masked, one_line, tokens_of


def compared(condition, alias="e"):
    return [(each.column, each.operator, each.cast) for each in comparisons(condition, alias)]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("(e.user_id = (InitPlan 1).col1)", [("user_id", "=", None)]),
        ("(e.user_id = $0)", [("user_id", "=", None)]),
        ("($0 = e.user_id)", [("user_id", "=", None)]),
        ("(('2026-01-01'::date <= e.spent_on) AND (e.a > 3))", [("spent_on", ">=", None), ("a", ">", None)]),
        ("((e.name)::text = 'x AND y'::text)", [("name", "=", "text")]),
        ('(e."Odd one" = 1)', [('"Odd one"', "=", None)]),
        ("(e.kind = ANY ('{a,b}'::text[]))", [("kind", "=", None)]),
        ("((e.a = 1) AND ((e.b = 2) AND (e.c = 3)))", [("a", "=", None), ("b", "=", None), ("c", "=", None)]),
        ("(e.category = budget.category)", [("category", "=", None)]),
        # of these nothing is certain
        ("((e.a = 1) OR (e.b = 2))", []),
        ("(NOT (e.a = 1))", []),
        ("(lower(e.name) = 'x'::text)", []),
        ("((e.a + 1) = 2)", []),
        ("(e.a = e.b)", []),
        ("(f.a = 1)", []),
        ("e.active", []),
        ("(e.a IS NULL)", []),
        ("(ANY (e.user_id = (hashed SubPlan 4).col1))", []),
        ("", []),
    ],
)
def test_columns_that_are_compared(condition, found):
    assert compared(condition) == found


def test_values_are_masked():
    assert masked("(e.email = 'jo''e@example.com'::text)") == "(e.email = '…'::text)"


def test_lines_are_joined_but_texts_stay():
    assert one_line("(EXISTS ( SELECT\n   FROM p\n  WHERE (p.a = 'x  y'::text)))") == (
        "(EXISTS ( SELECT FROM p WHERE (p.a = 'x  y'::text)))"
    )


@given(st.text(alphabet="()'\"=<> ANDORe.ab:1\n", max_size=60))
def test_whatever_it_is_it_is_read_without_an_error(text):
    list(comparisons(text, "e"))
    assert "".join(one_line(text).split()) == "".join(text.split()) or "'" in text or '"' in text


@given(st.text(alphabet="ab.= ()", max_size=40))
def test_tokens_stand_where_they_say(text):
    assert all(text[each.start : each.end] == each.text for each in tokens_of(text))
