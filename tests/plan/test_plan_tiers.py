"""The tiers as data, what --quick keeps, and how changes and targets are merged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nightbench.plan import (
    NIGHTLY_TIERS,
    TIER_NAMES,
    DatabaseChanges,
    DatabasePlan,
    TierChanges,
    WebSocketChanges,
    WebSocketPlan,
    changed,
    plan_hash,
)
from nightbench.target import Target
from nightbench.tiers import QUICK_SECONDS, TIERS, shortened

DATABASE_METRICS = "query, query[STATEMENT], pool, isolation, policy, server, observer, generator"


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
    plan, quick = TIERS[tier], shortened(TIERS[tier])
    assert quick.websocket.users == plan.websocket.users
    assert quick.database.workers == plan.database.workers
    assert quick.websocket.messages_per_second == plan.websocket.messages_per_second
    assert quick.database.queries_per_second == plan.database.queries_per_second
    websocket = quick.websocket.ramp_seconds + quick.websocket.warmup + quick.websocket.duration
    database = quick.database.warmup + quick.database.queries / quick.database.queries_per_second
    assert websocket + database <= 33  # three tiers make at most 100 s of load


@given(
    workers=st.integers(1, 10_000),
    think=st.floats(0, 86_400),
    rate=st.none() | st.floats(0.01, 1e6),
    queries=st.integers(1, 100_000_000),
)
def test_quick_is_seconds_also_in_the_closed_model(workers, think, rate, queries):
    changes = {"workers": workers, "rate": rate, "queries": queries}
    plan = TIERS["full"].changed(TierChanges(database=DatabaseChanges(**changes)))
    closed = plan.changed(TierChanges(database=DatabaseChanges(model="closed", think=think)))

    quick, as_open = (shortened(each).database.queries for each in (closed, plan))

    assert 1 <= quick <= as_open
    # half a query more than the workers come to, by rounding
    assert quick == 1 or (quick - 0.5) * think / workers <= QUICK_SECONDS * (1 + 1e-9)
    assert (shortened(closed).database.workers, shortened(closed).database.think) == (workers, think)


def test_a_long_think_time_is_no_reason_to_run_for_hours():
    changes = TierChanges(database=DatabaseChanges(model="closed", think=60))
    assert shortened(TIERS["full"].changed(changes)).database.queries == 3


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
    assert plan_hash(plan) == plan_hash(changed(plan, WebSocketChanges(targets=("message.x < 1",))))
    assert plan_hash(plan) != plan_hash(changed(plan, WebSocketChanges(users=101)))


@pytest.mark.parametrize(
    ("suite", "left_out", "set_to_it"),
    [
        ("websocket", {"users": 50, "duration": 8}, {"rate": 25}),
        ("websocket", {"users": 50, "duration": 8}, {"ramp": 1}),
        ("database", {"queries": 90, "workers": 4}, {"rate": 40}),
        ("database", {"queries": 90, "workers": 4}, {"pool_size": 4}),
    ],
)
def test_a_value_that_is_set_to_what_it_is_anyway_changes_no_number(suite, left_out, set_to_it):
    model = {"websocket": WebSocketPlan, "database": DatabasePlan}[suite]
    assert plan_hash(model(**left_out)) == plan_hash(model(**left_out, **set_to_it))


@pytest.mark.parametrize("plan", [TIERS["full"].websocket, TIERS["full"].database])
@pytest.mark.parametrize(
    ("model", "used", "unused"), [("open", "rate", "think"), ("closed", "think", "rate")]
)
def test_of_rate_and_think_time_the_one_counts_that_the_model_uses(plan, model, used, unused):
    plan = plan.model_copy(update={"model": model})
    assert plan_hash(plan) == plan_hash(plan.model_copy(update={unused: 77.0}))
    assert plan_hash(plan) != plan_hash(plan.model_copy(update={used: 77.0}))


@pytest.mark.parametrize(
    ("changes", "metric"),
    [
        *(
            (changes, promise.metric)
            for changes, plan in (
                (WebSocketChanges, TIERS["full"].websocket),
                (DatabaseChanges, TIERS["full"].database),
            )
            for promise in plan.promises
        ),
        (WebSocketChanges, "generator.cpu_share"),
        (WebSocketChanges, "message[ask].response_time.p95"),
        (WebSocketChanges, "reconnection.success_rate"),
        (DatabaseChanges, "query[expense_listing].execute_time.p95"),
        (DatabaseChanges, "pool.wait.p95"),
        (DatabaseChanges, "isolation.probes"),
        (DatabaseChanges, "policy.cost.p50"),
        (DatabaseChanges, "server.cpu_seconds"),
        (DatabaseChanges, "observer.cost"),
    ],
)
def test_what_a_suite_measures_can_be_promised(changes, metric):
    (target,) = changes(targets=[f"{metric} < 1"]).targets
    assert target.metric == metric


@pytest.mark.parametrize(
    ("changes", "metric", "known"),
    [
        (
            WebSocketChanges,
            "query.success_rate",
            "connection, reconnection, greeting, message, message[KIND], generator",
        ),
        (
            WebSocketChanges,
            "connection[x].p95",
            "connection, reconnection, greeting, message, message[KIND], generator",
        ),
        (DatabaseChanges, "message.success_rate", DATABASE_METRICS),
        (DatabaseChanges, "query[.p95", DATABASE_METRICS),
        (DatabaseChanges, "pool[x].wait.p95", DATABASE_METRICS),
        (DatabaseChanges, "p95", DATABASE_METRICS),
    ],
)
def test_what_it_does_not_measure_is_refused_with_what_it_does(changes, metric, known):
    with pytest.raises(ValidationError) as caught:
        changes(targets=[f"{metric} < 1"])
    (error,) = caught.value.errors()
    assert error["loc"] == ("targets", 0)
    assert f"its metrics begin with {known}" in error["msg"]


def test_quick_shortens_a_rate_profile_with_the_run():
    changes = WebSocketChanges(rate_profile=[{"at": 0, "rate": 10}, {"at": 300, "rate": 100}])
    quick = shortened(TIERS["full"].changed(TierChanges(websocket=changes)))
    assert [(corner.at, corner.rate) for corner in quick.websocket.rate_profile] == [
        (0, 10),
        (QUICK_SECONDS, 100),
    ]
