"""The tiers as data, what --quick keeps, and how changes and targets are merged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nightbench.plan import (
    NIGHTLY_TIERS,
    TIER_NAMES,
    TIERS,
    DatabaseChanges,
    DatabasePlan,
    Target,
    TierChanges,
    WebSocketChanges,
    WebSocketPlan,
    changed,
    plan_hash,
)


@pytest.mark.parametrize(
    ("tier", "users", "seconds", "queries", "workers"),
    [
        ("quick", 10, 60, 1_000, 5),
        ("baseline", 50, 120, 5_000, 10),
        ("full", 100, 300, 10_000, 20),
        ("stress", 200, 600, 50_000, 50),
    ],
)
def test_each_tier_is_what_it_is_documented_to_be(tier, users, seconds, queries, workers):
    plan = TIERS[tier]
    assert (plan.websocket.users, plan.websocket.duration) == (users, seconds)
    assert (plan.database.queries, plan.database.workers) == (queries, workers)
    assert plan.websocket.model == plan.database.model == "open"


def test_the_night_is_three_of_the_tiers_in_order():
    assert NIGHTLY_TIERS == ("baseline", "full", "stress")
    assert set(TIERS) == set(TIER_NAMES)


@pytest.mark.parametrize("tier", TIER_NAMES)
def test_quick_keeps_the_concurrency_and_the_rate_and_cuts_the_length(tier):
    plan, quick = TIERS[tier], TIERS[tier].shortened()
    assert quick.websocket.users == plan.websocket.users
    assert quick.database.workers == plan.database.workers
    assert quick.websocket.messages_per_second == plan.websocket.messages_per_second
    assert quick.database.queries_per_second == plan.database.queries_per_second
    websocket = quick.websocket.ramp_seconds + quick.websocket.warmup + quick.websocket.duration
    database = quick.database.warmup + quick.database.queries / quick.database.queries_per_second
    assert websocket + database <= 33  # three tiers make at most 100 s of load


def test_the_users_that_are_asked_for_are_the_users_that_must_connect():
    plan = changed(TIERS["full"].websocket, WebSocketChanges(users=150))
    assert Target(metric="connection.connected_users", op=">=", limit=150) in plan.promises


def test_a_target_replaces_the_default_one_of_its_metric_and_leaves_the_others():
    plan = changed(TIERS["full"].websocket, WebSocketChanges(targets=("message.response_time.p95 < 1500",)))
    promises = {str(target) for target in plan.promises}
    assert promises == {
        "connection.connected_users >= 100",
        "connection.success_rate > 95",
        "message.success_rate > 95",
        "message.response_time.p95 < 1500",
    }


@given(st.sampled_from(["<", "<=", ">", ">=", "=="]), st.floats(-1e6, 1e6), st.sampled_from(["", " ", "  "]))
def test_a_target_is_read_as_it_is_written(op, limit, space):
    text = f"query[a_b].execute_time.p95{space}{op}{space}{limit!r}"
    assert Target.model_validate(text) == Target(metric="query[a_b].execute_time.p95", op=op, limit=limit)


@pytest.mark.parametrize(
    "text", ["", "p95", "p95 <", "< 5", "a b < 5", "a <> 5", "a < nan", "a < inf", "a < x"]
)
def test_what_is_no_target_is_refused(text):
    with pytest.raises(ValidationError):
        Target.model_validate(text)


def test_changes_that_are_left_out_keep_the_tiers_values():
    plan = TIERS["stress"]
    assert plan.changed(TierChanges()) == plan


def test_changes_have_the_bounds_and_the_help_of_the_plan():
    for changes, plan in ((WebSocketChanges, WebSocketPlan), (DatabaseChanges, DatabasePlan)):
        offered, planned = (model.model_json_schema()["properties"] for model in (changes, plan))
        assert offered.keys() == planned.keys()
        for name, field in planned.items():
            assert offered[name]["description"] == field["description"]
            assert offered[name]["title"] == field["title"]
    with pytest.raises(ValidationError, match="greater than 0"):
        WebSocketChanges(users=0)
    with pytest.raises(ValidationError, match="Extra inputs"):
        DatabaseChanges(users=3)


def test_plans_with_other_numbers_are_not_comparable_and_other_targets_do_not_matter():
    plan = TIERS["full"].websocket
    assert plan_hash(plan) == plan_hash(changed(plan, WebSocketChanges(targets=("a.b < 1",))))
    assert plan_hash(plan) != plan_hash(changed(plan, WebSocketChanges(users=101)))
