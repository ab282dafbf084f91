"""What was found, in the summary: each with its way out, in 80 columns."""

import io
from pathlib import Path

import pytest
from builders import database_measurement, verdict_of
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from nightbench.database.finding import Diagnosis, Finding, SlowStatement
from nightbench.report.findings import print_findings
from nightbench.report.layout import Page
from nightbench.report.summary import print_suite

GOLDEN = Path(__file__).parent / "golden" / "findings.txt"

SCAN = Finding(
    "sequential_scan",
    "expenses",
    "budget_utilization and expense_listing went through all of expenses, 100,000 rows, to keep 92 of them",
    "CREATE INDEX CONCURRENTLY ON expenses (user_id, spent_on DESC)",
    {"rows_read": 100_000},
)
POLICY = Finding(
    "policy_per_row",
    "messages.own_messages",
    "the policy own_messages of messages calls auth.uid() for each row, although the answer is the same for all",
    "ask once a statement, in a sub-select: ALTER POLICY own_messages ON messages USING "
    "(user_id = (SELECT auth.uid()))",
)
LISTING = SlowStatement(
    "expense_listing",
    0.431,
    31.5,
    24.5,
    "Seq Scan on expenses: 24.1 ms, 92 rows, 99,908 removed by its filter",
    {},
)
PROFILE = SlowStatement(
    "profile_lookup", 0.02, None, 0.1, "Index Scan by profiles_pkey on profiles: 0.03 ms", {}
)
FOUND = Diagnosis((SCAN, POLICY), (LISTING, PROFILE), ("the plan of expense_update: no operation runs it",))


def printed(details, *, encoding="utf-8"):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    print_findings(Page(Console(file=file, width=80)), details)
    return raw.getvalue().decode(encoding)


def test_golden():
    assert printed(FOUND.details()) == GOLDEN.read_text(encoding="utf-8")


def test_nothing_found_is_said_and_nothing_looked_for_is_not():
    assert printed(Diagnosis().details()) == "\nFindings\n  none\n"
    assert printed({"attempts": 3}) == ""


def test_it_is_a_part_of_the_summary():
    raw = io.StringIO()
    print_suite(Console(file=raw, width=80), verdict_of(database_measurement(details=FOUND.details())))
    assert SCAN.suggestion in raw.getvalue()


@pytest.mark.parametrize(
    "details",
    [
        {"findings": None},
        {"findings": ["text"], "slowest": 3},
        {"findings": [{}], "slowest": [{}], "not_looked_at": [1]},
        {"slowest": [{"share": "much", "p95_ms": float("nan")}]},
    ],
)
def test_details_of_another_shape_are_no_error(details):
    printed(details)


def test_secrets_are_not_printed():
    leaking = Finding("slow_statement", "a", "postgresql://app:hunter2@host/db was slow", "none")
    assert "hunter2" not in printed({"findings": [{"kind": "slow_statement", "text": leaking.text}]})


words = st.text(max_size=200)


@settings(max_examples=50, deadline=None)
@given(
    st.builds(Finding, kind=st.just("unused_index"), subject=words, text=words, suggestion=words),
    st.sampled_from(["utf-8", "ascii"]),
)
def test_whatever_was_found_fits_into_80_columns(finding, encoding):
    text = printed(Diagnosis((finding,)).details(), encoding=encoding)
    assert max(cell_len(line) for line in text.split("\n")) <= 80
