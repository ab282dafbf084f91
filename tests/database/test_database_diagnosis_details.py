"""What of a diagnosis is kept with a run: JSON-like, small, without secrets."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from nightbench.database.finding import LARGEST_BYTES, Diagnosis, Finding, SlowStatement

texts = st.builds(lambda piece, times: piece * times, st.text(max_size=3), st.integers(0, 1500))
findings = st.builds(
    Finding,
    kind=st.just("slow_statement"),
    subject=texts,
    text=texts,
    suggestion=texts,
    evidence=st.dictionaries(st.sampled_from("abc"), texts | st.floats(0, 1) | st.none()),
)
statements = st.builds(
    SlowStatement,
    name=st.text(max_size=40),
    share=st.floats(0, 1),
    p95_ms=st.none() | st.floats(0, 1e6),
    alone_ms=st.floats(0, 1e6),
    hot=st.text(max_size=100),
    plan=st.dictionaries(st.sampled_from("abc"), texts),
)


@settings(max_examples=40, deadline=None)
@given(
    st.builds(
        Diagnosis,
        findings=st.lists(findings, max_size=12).map(tuple),
        slowest=st.lists(statements, max_size=6).map(tuple),
        not_looked_at=st.lists(st.text(max_size=100), max_size=3).map(tuple),
    )
)
def test_it_stays_small_and_loses_no_finding_in_silence(diagnosis):
    told = diagnosis.details()
    assert len(json.dumps(told).encode()) <= 1.1 * LARGEST_BYTES
    lost = len(diagnosis.findings) - len(told["findings"])
    assert bool(lost) == (len(told["not_looked_at"]) > len(diagnosis.not_looked_at))


def test_what_fits_is_kept_whole():
    finding = Finding("unused_index", "i", "text", "suggestion", {"mib": 1.5})
    slow = SlowStatement("a", 0.5, None, 2.0, "hot", {"Node Type": "Seq Scan"})
    told = Diagnosis((finding,), (slow,), ("why",)).details()
    assert told["findings"][0] == {
        "kind": "unused_index",
        "subject": "i",
        "text": "text",
        "suggestion": "suggestion",
        "evidence": {"mib": 1.5},
    }
    assert told["slowest"][0]["plan"] == {"Node Type": "Seq Scan"}
    assert told["not_looked_at"] == ["why"]


def test_plans_go_before_evidence():
    finding = Finding("unused_index", "i", "text", "suggestion", {"mib": 1.5})
    slow = SlowStatement("a", 0.5, None, 2.0, "hot", {"Filter": "x" * LARGEST_BYTES})
    told = Diagnosis((finding,), (slow,)).details()
    assert told["slowest"][0]["plan"] == {}
    assert told["findings"][0]["evidence"] == {"mib": 1.5}


def test_no_more_goes_than_has_to():
    large = {"plan": "x" * (LARGEST_BYTES // 2)}
    two = tuple(Finding("unused_index", name, "text", "suggestion", large) for name in "ab")
    first, last = Diagnosis(two).details()["findings"]
    assert (first["evidence"], last["evidence"]) == (large, {})


def test_secrets_are_not_kept():
    why = "the plan of a: could not connect to postgresql://app:hunter2@host/db"
    assert "hunter2" not in json.dumps(Diagnosis(not_looked_at=(why,)).details())
