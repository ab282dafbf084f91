"""Which metrics gate, and which way is worse, by their names."""

from __future__ import annotations

import pytest

from nightbench.database.metrics import metric_names as database_names
from nightbench.tiers import TIERS
from nightbench.verdict.direction import higher_is_worse
from nightbench.verdict.gating import gates, is_tail
from nightbench.verdict.patterns import first_match, matches
from nightbench.websocket.metrics import metric_names as websocket_names

WEBSOCKET = {
    "connection.success_rate",
    "connection.time.p50",
    "connection.time.p95",
    "connection.time.p99",
    "message.first_chunk_time.p50",
    "message.first_chunk_time.p95",
    "message.response_time.p50",
    "message.response_time.p95",
    "message.response_time.p99",
    "message.service_time.p95",
    "message.success_rate",
    "message.throughput",
}
DATABASE = {
    "pool.wait.p95",
    "query.commit_time.p95",
    "query.response_time.p50",
    "query.response_time.p95",
    "query.response_time.p99",
    "query.service_time.p95",
    "query.success_rate",
    "query.throughput",
}


def test_what_gates_of_the_websocket_suite() -> None:
    names = websocket_names(TIERS["full"].websocket)
    assert {name for name in names if gates(name) and not name.startswith("reconnection.")} == WEBSOCKET
    assert {name for name in names if gates(name) and name.startswith("reconnection.")} == {
        "reconnection.success_rate",
        "reconnection.time.p95",
    }


def test_what_gates_of_the_database_suite() -> None:
    plan = TIERS["full"].database
    found = {name for name in database_names(plan) if gates(name)}
    statements = {
        f"query[{statement.name}].{quantity}"
        for statement in plan.mix.statements
        for quantity in ("execute_time.p50", "execute_time.p95", "success_rate")
    }
    assert found == DATABASE | statements


@pytest.mark.parametrize(
    "name", ["latency", "checkout.time.p95", "my own metric", "query", "jobs.per_second"]
)
def test_a_metric_of_ones_own_gates(name: str) -> None:
    assert gates(name)


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        ("message.throughput", False),
        ("message[chat].throughput", False),
        ("query.success_rate", False),
        ("connection.rate", False),
        ("server.cache_hit_ratio", False),
        ("jobs_per_second", False),
        ("query.response_time.p95", True),
        ("query.throughput.decline", True),
        ("latency", True),
    ],
)
def test_which_way_is_worse(name: str, higher: bool) -> None:
    assert higher_is_worse(name) is higher


@pytest.mark.parametrize(
    ("name", "tail"),
    [
        ("query.response_time.p50", False),
        ("query.response_time.p90", True),
        ("query.response_time.p95", True),
        ("query.response_time.p99", True),
        ("query.response_time.p99.9", True),
        ("query.response_time.p999", True),
        ("query.response_time.max", True),
        ("latency", False),
        ("query.throughput", False),
    ],
)
def test_what_is_a_tail(name: str, tail: bool) -> None:
    assert is_tail(name) is tail


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("query[profile].wait", "query[profile].wait", True),
        ("query[profile].wait", "queryp.wait", False),
        ("query[*].wait", "query[profile].wait", True),
        ("query.*", "query[profile].wait", False),
        ("*", "", True),
        ("p9?", "p95", True),
        ("p9?", "p9", False),
        ("query.(.+", "query.x", False),
        ("Query.*", "query.x", False),
    ],
)
def test_what_a_pattern_fits(pattern: str, name: str, fits: bool) -> None:
    assert matches(pattern, name) is fits


def test_of_many_patterns_the_first_decides() -> None:
    rules = {"query.a": 1, "query.*": 2}
    assert [first_match(rules, name, 3) for name in ("query.a", "query.b", "other")] == [1, 2, 3]
