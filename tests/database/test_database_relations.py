"""What a plan of the server says of tables, and what a statement begins with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.database.checking.relations import first_word, relations_of


def node(kind, name=None, *below, **more):
    named = {} if name is None else dict(zip(("Schema", "Relation Name"), name.split("."), strict=True))
    return {"Node Type": kind, **named, **({"Plans": list(below)} if below else {}), **more}


SCAN = node("Seq Scan", "public.a")

# a plan, what it reads, what it writes, whether it locks
PLANS = {
    "nothing": (node("Result"), set(), set(), False),
    "one table": (SCAN, {"public.a"}, set(), False),
    "a join": (
        node("Hash Join", None, SCAN, node("Hash", None, node("Index Scan", "other.b"))),
        {"public.a", "other.b"},
        set(),
        False,
    ),
    "an index beside its table": (
        node("Bitmap Heap Scan", "public.a", node("Bitmap Index Scan", **{"Index Name": "i"})),
        {"public.a"},
        set(),
        False,
    ),
    "partitions": (
        node("Append", None, node("Seq Scan", "p.a_1"), node("Seq Scan", "p.a_2")),
        {"p.a_1", "p.a_2"},
        set(),
        False,
    ),
    "a row that is locked": (node("LockRows", None, SCAN), {"public.a"}, set(), True),
    "an insert": (
        node("ModifyTable", "public.a", node("Result"), Operation="Insert"),
        set(),
        {"public.a"},
        False,
    ),
    "an update that reads": (
        node("ModifyTable", "public.a", node("Nested Loop", None, SCAN, node("Seq Scan", "public.b"))),
        {"public.a", "public.b"},
        {"public.a"},
        False,
    ),
    "a write inside of a read": (
        node("CTE Scan", None, node("ModifyTable", "public.b", SCAN, **{"Subplan Name": "CTE x"})),
        {"public.a"},
        {"public.b"},
        False,
    ),
}


@pytest.mark.parametrize("case", PLANS)
def test_tables_are_found_wherever_they_stand(case):
    plan, read, written, locks = PLANS[case]
    found = relations_of(plan)
    assert (found.read, found.written, found.locks) == (read, written, locks)
    assert found.all == read | written


@pytest.mark.parametrize(
    ("how", "changed"),
    [
        ({"Operation": "Insert"}, set()),
        ({"Operation": "Insert", "Conflict Resolution": "NOTHING"}, set()),
        ({"Operation": "Insert", "Conflict Resolution": "UPDATE"}, {"public.a"}),
        ({"Operation": "Update"}, {"public.a"}),
        ({"Operation": "Delete"}, {"public.a"}),
        ({"Operation": "Merge"}, {"public.a"}),
    ],
    ids=str,
)
def test_rows_that_were_there_may_be_changed_by_all_but_a_plain_insert(how, changed):
    write = node("ModifyTable", "public.a", **how)
    assert relations_of(node("CTE Scan", None, write)).changed == changed
    assert relations_of(node("Result"), write).changed == changed


def test_a_deep_plan_is_read():
    plan = SCAN
    for _ in range(5_000):
        plan = node("Append", None, plan)
    assert relations_of(plan).read == {"public.a"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("SELECT 1", "select"),
        ("  \n\tWith x AS (SELECT 1) SELECT 2", "with"),
        ("((select 1) union (select 2))", "select"),
        ("-- DROP\nINSERT INTO x", "insert"),
        ("/* a /* b */ DROP */ UPDATE x", "update"),
        ("/**/--\n(/*(*/DELETE FROM x", "delete"),
        ("/* without an end SELECT", ""),
        ("-- without an end", ""),
        ("", ""),
        (";SELECT 1", ""),
        ('"SELECT"', ""),
        ("%(x)s", ""),
    ],
)
def test_a_statement_begins_with_the_first_word_past_comments(text, word):
    assert first_word(text) == word


@given(st.text(alphabet="/*-( \nselect"))
def test_looking_for_the_first_word_ends(text):
    assert first_word(text) == first_word(text).strip().lower()
