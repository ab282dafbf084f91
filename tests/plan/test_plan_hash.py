"""Which plans can be compared: every field counts, but for what changes no number and what is secret."""

import pytest

from nightbench.plan import DatabaseChanges, WebSocketChanges, changed, plan_hash
from nightbench.tiers import TIERS

OTHER = {
    "websocket": {
        "users": 101,
        "duration": 77,
        "model": "closed",
        "rate": 77,
        "arrivals": "poisson",
        "rate_profile": [{"at": 0, "rate": 77}],
        "ramp": 77,
        "ramp_shape": "steps",
        "ramp_steps": 77,
        "warmup": 77,
        "timeout": 77,
        "connect_timeout": 77,
        "max_in_flight": 77,
        "reconnect": False,
        "lost_after": 77,
        "message": "other",
        "messages": [{"name": "other", "body": {"id": "${id}"}}],
        "greeting": {"name": "hello", "body": {"id": "${id}"}},
        "data": "other.csv",
        "data_order": "random",
        "reply": {"match": "order"},
        "headers": {"X-Other": "x"},
        "tokens": {"file": "other"},
        "subprotocols": ["other"],
        "compression": True,
        "tls": {"verify": False},
        "seed": 77,
    },
    "database": {
        "queries": 77,
        "workers": 77,
        "model": "closed",
        "rate": 77,
        "arrivals": "poisson",
        "warmup": 77,
        "pool_size": 77,
        "max_overflow": 77,
        "pool_timeout": 77,
        "statement_timeout": 77,
        "pool_recycle": 77,
        "lock_timeout": 77,
        "isolation_level": "serializable",
        "lost_after": 77,
        "tenants": 77,
        "workload": {"statements": [{"name": "one", "kind": "read", "sql": "SELECT 1"}]},
        "observation_interval": 77,
        "seed": 77,
    },
}
NOT_COUNTED = {"targets", "shards"}
CLOSED_ONLY = {"think": 77, "think_spread": 0.77, "pacing": 77}


@pytest.mark.parametrize("suite", OTHER)
def test_there_is_another_value_for_every_field(suite):
    fields = set(type(getattr(TIERS["full"], suite)).model_fields)
    assert fields == set(OTHER[suite]) | (fields & (NOT_COUNTED | set(CLOSED_ONLY)))


@pytest.mark.parametrize(
    ("suite", "name"), [(suite, name) for suite, other in OTHER.items() for name in other]
)
def test_a_plan_with_another_value_is_not_comparable(suite, name):
    plan = getattr(TIERS["full"], suite)
    changes = {"websocket": WebSocketChanges, "database": DatabaseChanges}[suite]
    assert plan_hash(plan) != plan_hash(changed(plan, changes(**{name: OTHER[suite][name]})))


@pytest.mark.parametrize("name", CLOSED_ONLY)
def test_what_the_closed_model_alone_uses_counts_in_it_alone(name):
    plan = TIERS["full"].websocket
    changes = WebSocketChanges(**{name: CLOSED_ONLY[name]})
    assert plan_hash(plan) == plan_hash(changed(plan, changes))
    closed = changed(plan, WebSocketChanges(model="closed"))
    assert plan_hash(closed) != plan_hash(changed(closed, changes))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"shards": 1}, {"shards": 4}),
        ({"headers": {"X": "secret"}}, {"headers": {"X": "another"}}),
        ({"tokens": {"template": "secret"}}, {"tokens": {"template": "another"}}),
    ],
)
def test_neither_the_number_of_processes_nor_a_secret_changes_what_can_be_compared(one, other):
    plan = TIERS["full"].websocket
    hashes = {plan_hash(changed(plan, WebSocketChanges(**changes))) for changes in (one, other)}
    assert len(hashes) == 1


def test_no_secret_is_in_what_is_stored_of_a_plan():
    secrets = {"headers": {"X": "hunter2"}, "tokens": {"template": "hunter2"}}
    plan = changed(TIERS["full"].websocket, WebSocketChanges(**secrets))
    assert "hunter2" not in repr(plan) + plan.model_dump_json() + str(plan.model_dump(mode="json"))
    assert plan.headers["X"].get_secret_value() == "hunter2"
