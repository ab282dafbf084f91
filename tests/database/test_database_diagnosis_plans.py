"""Plans: what a scan wasted, which index would serve, what is wrong with a statement, what is kept of it."""

import json

import pytest
from diagnosing import PLAN, captured, catalog, figures, index, kinds, node, scan, table

from nightbench.database.diagnosis.figures import StatementFigures
from nightbench.database.diagnosis.scans import scan_findings
from nightbench.database.diagnosis.statements import slowest, statement_findings
from nightbench.target import Target

WASTEFUL = {"Actual_Rows": 100, "Rows_Removed_by_Filter": 99_900}
OF_TENANT = {"Filter": "(expenses.user_id = (InitPlan 1).col1)", **WASTEFUL}


def suggested(top, *indexes, tables=None):
    return [each.suggestion for each in scan_findings([captured(top)], catalog(*indexes, tables=tables))]


def created(columns):
    return [f"CREATE INDEX CONCURRENTLY ON expenses ({columns})"]


@pytest.mark.parametrize(
    ("top", "columns"),
    [
        (scan(**OF_TENANT), "user_id"),
        (node("Sort", scan(**OF_TENANT), Sort_Key=["expenses.spent_on DESC"]), "user_id, spent_on DESC"),
        (
            node("Limit", node("Sort", node("Result", scan(**OF_TENANT)), Sort_Key=["expenses.spent_on"])),
            "user_id, spent_on",
        ),
        # what is joined is in no order any more; what is computed has none in an index
        (
            node("Sort", node("Hash Join", scan(**OF_TENANT)), Sort_Key=["expenses.spent_on DESC"]),
            "user_id",
        ),
        (node("Sort", scan(**OF_TENANT), Sort_Key=["(lower(expenses.category))"]), "user_id"),
        (node("Sort", scan(**OF_TENANT), Sort_Key=["expenses.spent_on DESC NULLS LAST"]), "user_id"),
        (node("Sort", scan(**OF_TENANT), Sort_Key=["expenses.user_id"]), "user_id"),
        (
            scan(
                **{
                    **OF_TENANT,
                    "Filter": "((expenses.spent_on > '2026-01-01'::date) AND (expenses.category = 'a'::text))",
                }
            ),
            "category, spent_on",
        ),
        (scan(**{**OF_TENANT, "Filter": "(expenses.spent_on > '2026-01-01'::date)"}), "spent_on"),
    ],
)
def test_the_index_that_would_serve(top, columns):
    assert suggested(top) == created(columns)


@pytest.mark.parametrize(
    "members",
    [
        {"Actual_Rows": 100, "Rows_Removed_by_Filter": 9_000},  # a small table
        {"Actual_Rows": 20_000, "Rows_Removed_by_Filter": 80_000},  # a good part of it is wanted
        {**WASTEFUL, "Filter": ""},
        {"Actual_Rows": 1, "Rows_Removed_by_Filter": 99, "Actual_Loops": 1000},
        {**WASTEFUL, "Schema": "other"},
    ],
)
def test_a_scan_that_wastes_nothing_worth_a_word(members):
    assert not suggested(scan(**{"Filter": OF_TENANT["Filter"], **members}))


def test_parallel_processes_share_a_scan():
    part = {"Actual_Rows": 30, "Rows_Removed_by_Filter": 4_000, "Actual_Loops": 3, "Parallel_Aware": True}
    assert suggested(node("Gather", scan(**{**OF_TENANT, **part}))) == created("user_id")


@pytest.mark.parametrize(
    ("kind", "said"),
    [("character varying", created("label")[0]), ("uuid", "no index serves its filter as it is")],
)
def test_a_cast_is_of_no_account_only_where_the_index_serves_it(kind, said):
    filtered = scan(**{**OF_TENANT, "Filter": "((expenses.label)::text = 'x'::text)"})
    (suggestion,) = suggested(filtered, tables=[table(label=kind)])
    assert suggestion.startswith(said)


def test_an_index_that_is_there_is_not_made_again():
    (said,) = suggested(scan(**OF_TENANT), index(1, "by_user", "user_id", "category"))
    assert said.startswith("by_user would serve but was not used: ANALYZE expenses")


def test_one_finding_for_all_statements_that_one_index_serves():
    sorted_scan = node("Sort", scan(**OF_TENANT), Sort_Key=["expenses.spent_on DESC"])
    plans = [captured(scan(**OF_TENANT), "plain"), captured(sorted_scan, "sorted")]
    (finding,) = scan_findings(plans, catalog())
    assert kinds([finding]) == [("sequential_scan", "expenses")]
    assert finding.suggestion == created("user_id, spent_on DESC")[0]
    assert finding.evidence["statements"] == ["plain", "sorted"]
    assert "100,000 rows, to keep 100" in finding.text


# single statements


def said_of(top, load=None, *, plan=PLAN, explained=frozenset(), **members):
    plans = [captured(top, **members)]
    return [each.text for each in statement_findings(plans, load or figures(), plan, explained=explained)]


DISK = node("Sort", Sort_Space_Type="Disk", Sort_Space_Used=20_480)
BY_INDEX = scan("Index Scan", Index_Name="by_date", Filter="(expenses.a = 1)", **WASTEFUL)


@pytest.mark.parametrize(
    ("top", "words"),
    [
        (DISK, "a sort wrote 20,480 KiB to temporary files"),
        (node("Hash", Hash_Batches=8, Original_Hash_Batches=1), "split into 8 parts"),
        (BY_INDEX, "found 100,000 rows of expenses by by_date and threw all but 100 away"),
    ],
)
def test_what_is_wrong_with_a_statement(top, words):
    (text,) = said_of(node("Limit", top))
    assert words in text


def test_what_takes_hardly_any_of_the_time_is_not_told():
    rare = {"listing": StatementFigures(1, 9.0, 2.0), "other": StatementFigures(100, 100.0, 2.0)}
    assert not said_of(DISK, figures(statements=rare))


def test_what_another_finding_explains_is_not_told_twice():
    assert not said_of(DISK, explained=frozenset({"listing"}))


@pytest.mark.parametrize(
    ("p95", "alone", "told"),
    [
        (150.0, 80.0, True),
        (150.0, 70.0, False),  # alone it is quick: it is the load that makes it wait
        (99.0, 98.0, False),
        (None, 150.0, False),
    ],
)
def test_over_its_target_and_slow_by_itself(p95, alone, told):
    load = figures(statements={"listing": StatementFigures(100, 100.0, p95)})
    members = {"Planning Time": 0.0, "Execution Time": alone}
    assert bool(said_of(scan(), load, **members)) == told


def test_a_target_of_the_statement_itself_counts():
    strict = PLAN.model_copy(
        update={"targets": (Target(metric="query[listing].execute_time.p95", op="<", limit=5),)}
    )
    load = figures(statements={"listing": StatementFigures(100, 100.0, 9.0)})
    (text,) = said_of(scan(), load, plan=strict)
    assert "over the 5 ms of its target" in text


# what is kept


def test_the_slowest_by_share_and_by_p95():
    names = ["a", "b", "c", "d", "rare"]
    numbers = {name: StatementFigures(10, 100.0 - 10 * place, 1.0) for place, name in enumerate(names)}
    numbers["rare"] = StatementFigures(1, 50.0, 50.0)
    found = slowest([captured(scan(), name) for name in names], figures(statements=numbers))
    assert [each.name for each in found][:3] == ["a", "b", "c"]
    assert "rare" in {each.name for each in found}
    assert found[0].alone_ms == 10.0


def test_the_hot_node_in_words_without_values():
    top = node("Limit", scan(Actual_Total_Time=7.0, **OF_TENANT), Actual_Total_Time=7.5)
    assert captured(top).hot_in_words == (
        "Seq Scan on expenses: 7 ms, 100 rows, 99,900 removed by its filter"
    )


def test_a_trigger_may_be_what_takes_longest():
    triggers = [
        {"Trigger Name": "audit", "Relation": "expenses", "Time": 40.0},
        {"Constraint Name": "k", "Time": 1.0},
    ]
    assert captured(scan(), Triggers=triggers).hot_in_words == "trigger audit on expenses: 40 ms"


def test_planning_may_be_what_takes_longest():
    times = {"Planning Time": 3.0, "Execution Time": 2.0}
    assert captured(scan(), **times).hot_in_words == "planning: 3 ms"


def test_a_shortened_plan_is_short_and_holds_no_values():
    deep = scan(Filter="(expenses.email = 'joe@example.com'::text)" * 20, Output=["expenses.email"])
    for _ in range(200):
        deep = node("Append", deep, scan(Filter="(a = 'postgresql://joe:hunter2@host/db'::text)"))
    kept = json.dumps(captured(deep).shortened())
    assert len(kept) < 20_000
    assert "joe" not in kept
    assert "Output" not in kept
