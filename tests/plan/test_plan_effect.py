"""Fields without effect: which they are, and that only those which the user set are told, once, where they were set."""

from pathlib import Path

import pytest

from nightbench.plan import DatabaseChanges, TierChanges, WebSocketChanges, changed
from nightbench.plan.effect import UNUSED, idle_fields
from nightbench.plan.file import read_plan_file
from nightbench.planning import lone_shards, planned
from nightbench.run_settings import RunSettings
from nightbench.settings import load
from nightbench.tiers import TIERS

CLOSED = {"model": "closed"}
KIND = {"name": "a", "body": {"id": "${id}"}}

# what is set, and the field of it that has no effect
IDLE = {
    "think in the open model": ({"think": 3}, ["think"]),
    "think spread in the open model": ({"think_spread": 0.5}, ["think_spread"]),
    "pacing in the open model": ({"pacing": 3}, ["pacing"]),
    "rate in the closed model": ({"rate": 3, **CLOSED}, ["rate"]),
    "arrivals in the closed model": ({"arrivals": "poisson", **CLOSED}, ["arrivals"]),
    "profile in the closed model": ({"rate_profile": [{"at": 0, "rate": 3}], **CLOSED}, ["rate_profile"]),
    "corners after the end": (
        {"duration": 4, "rate_profile": [{"at": at, "rate": 3} for at in (0, 2, 6, 8, 8)]},
        ["rate_profile[3]", "rate_profile[4]"],
    ),
    "limit in flight in the closed model": ({"max_in_flight": 3, **CLOSED}, ["max_in_flight"]),
    "spread of no think time": ({"think": 0, "think_spread": 0.5, **CLOSED}, ["think_spread"]),
    "steps of a line": ({"ramp_steps": 3}, ["ramp_steps"]),
    "shape of no ramp": ({"ramp": 0, "ramp_shape": "steps", "ramp_steps": 3}, ["ramp_shape", "ramp_steps"]),
    "message beside messages": ({"message": "x", "messages": [KIND]}, ["message"]),
    "weight of a greeting": ({"greeting": {**KIND, "weight": 3}}, ["greeting.weight"]),
    "order of no data": ({"data_order": "random"}, ["data_order"]),
    "data that nobody asks for": ({"data": "it.csv", "message": "${user} ${env:X}"}, ["data"]),
    "path of an id by order": ({"reply": {"match": "order", "id_path": "x"}}, ["reply.id_path"]),
    "TLS without TLS": ({"tls": {"verify": False, "server_name": "x"}}, ["tls.server_name", "tls.verify"]),
    "a default that is set": ({"think": 1.0}, ["think"]),
}
WITH_EFFECT = {
    "pace of the open model": {"rate": 3, "arrivals": "poisson", "max_in_flight": 3},
    "corners to the end": {"duration": 4, "rate_profile": [{"at": at, "rate": 3} for at in (0, 4, 4)]},
    "pace of the closed model": {"think": 3, "think_spread": 0.5, "pacing": 3, **CLOSED},
    "steps": {"ramp_shape": "steps", "ramp_steps": 3},
    "data in a message": {"data": "it.csv", "data_order": "random", "message": "${q}"},
    "data in a body": {"data": "it.csv", "messages": [{**KIND, "body": {"id": "${id}", "q": ["${q}"]}}]},
    "data in a header": {"data": "it.csv", "headers": {"X-A": "${q}"}},
    "data in a subprotocol": {"data": "it.csv", "subprotocols": ["a.${q}"]},
    "data in a token": {"data": "it.csv", "tokens": {"template": "${q}"}},
    "data in a greeting": {"data": "it.csv", "greeting": {"name": "a", "text": "${q} ${id}"}},
    "path of an id": {"reply": {"id_path": "x"}},
}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def warnings_of(fields, settings=None):
    changes = TierChanges(websocket=WebSocketChanges(**fields))
    return list(planned(settings or load(), "full", changes).warnings)


@pytest.mark.parametrize("case", IDLE)
def test_a_field_that_was_set_in_vain_is_told_with_the_reason(case):
    fields, idle = IDLE[case]
    told = warnings_of(fields)
    assert [line.split(": ")[1].removesuffix(" has no effect") for line in told] == [
        f"parameter websocket.{name}" for name in idle
    ]
    assert all(line.startswith("warning: ") and line.split("has no effect: ")[1] for line in told)


@pytest.mark.parametrize("case", WITH_EFFECT)
def test_of_a_field_with_an_effect_nothing_is_said(case):
    assert warnings_of(WITH_EFFECT[case]) == []


@pytest.mark.parametrize("tier", TIERS)
def test_of_what_is_the_tiers_own_nothing_is_said(tier):
    for plan in (TIERS[tier].websocket, TIERS[tier].database):
        assert idle_fields(plan, secure=False)  # there is something to say
    assert planned(load(), tier).warnings == ()


def database_warnings_of(fields):
    return list(planned(load(), "full", TierChanges(database=DatabaseChanges(**fields))).warnings)


def workload_of(**draw):
    statement = {"name": "a", "kind": "read", "sql": "SELECT %(x)s", "parameters": {"x": draw}}
    return {"workload": {"statements": [statement]}}


POLICY_COST = {"policy_cost": {"role": "x", "sql": "SELECT 1"}}
DRAWN = "workload.statements[0].parameters.x"
IDLE_ON_A_DATABASE = {
    "a lock time-out behind the other": ({"lock_timeout": 20, "statement_timeout": 20}, ["lock_timeout"]),
    "a policy cost that nobody measures": (
        {"observation_interval": 0, "workload": {**workload_of(draw="tenant")["workload"], **POLICY_COST}},
        ["workload.policy_cost"],
    ),
    "exponent of an even draw": (workload_of(draw="uniform", high=1, exponent=2), [f"{DRAWN}.exponent"]),
    "column of numbers": (workload_of(draw="zipf", high=1, column="x"), [f"{DRAWN}.column"]),
    "step of values": (workload_of(draw="choice", values=[1], step=2), [f"{DRAWN}.step"]),
    "lowest of a file": (workload_of(draw="file", file="it.csv", low=2), [f"{DRAWN}.low"]),
    "decimals of a tenant": (workload_of(draw="tenant", decimals=2), [f"{DRAWN}.decimals"]),
}
WITH_EFFECT_ON_A_DATABASE = {
    "a lock time-out before the other": {"lock_timeout": 3, "statement_timeout": 20},
    "a policy cost": {"workload": {**workload_of(draw="tenant")["workload"], **POLICY_COST}},
    "numbers": workload_of(draw="zipf", low=1, high=2, step=0.5, decimals=1, exponent=2),
    "a column": workload_of(draw="file", file="it.csv", column="x"),
    "what there is for slow nights": {"pool_recycle": 60, "isolation_level": "serializable", "lost_after": 3},
}


@pytest.mark.parametrize("case", IDLE_ON_A_DATABASE)
def test_of_a_database_plan_too_what_was_set_in_vain_is_told(case):
    fields, idle = IDLE_ON_A_DATABASE[case]
    assert [line.split(" has no effect: ")[0] for line in database_warnings_of(fields)] == [
        f"warning: parameter database.{name}" for name in idle
    ]


@pytest.mark.parametrize("case", WITH_EFFECT_ON_A_DATABASE)
def test_of_what_has_an_effect_on_a_database_nothing_is_said(case):
    assert database_warnings_of(WITH_EFFECT_ON_A_DATABASE[case]) == []


def test_tls_of_a_secure_address_has_an_effect():
    settings = load({"websocket_url": "wss://example.org/"})
    assert warnings_of({"tls": {"verify": False}}, settings) == []
    (told,) = warnings_of({"tls": {"verify": False, "ca_file": "x"}}, settings)
    assert told == "warning: parameter websocket.tls.ca_file has no effect: tls.verify is false"


def test_a_field_is_told_where_it_was_set(monkeypatch):
    Path("nightbench.toml").write_text("[plan.full.websocket]\npacing = 3")
    monkeypatch.setenv("NIGHTBENCH_PLAN__FULL__DATABASE__THINK", "2")
    Path("it.yaml").write_text("websocket:\n  users: 3\n  think: 2")
    settings = load().with_plan_file(read_plan_file(Path("it.yaml")))
    assert planned(settings, "full").warnings == (
        "warning: nightbench.toml: plan.full.websocket.pacing has no effect: the model is open",
        "warning: it.yaml, line 3: websocket.think has no effect: the model is open",
        "warning: NIGHTBENCH_PLAN__FULL__DATABASE__THINK has no effect: the model is open",
    )
    assert planned(settings, "full", TierChanges(websocket=WebSocketChanges(model="closed"))).warnings == (
        "warning: NIGHTBENCH_PLAN__FULL__DATABASE__THINK has no effect: the model is open",
    )


def test_the_rate_of_a_closed_database_test_says_how_long_a_quick_one_is():
    changes = TierChanges(database=DatabaseChanges(model="closed", rate=3))
    assert planned(load(), "full", changes).warnings
    assert planned(load(), "full", changes, quick=True).warnings == ()


@pytest.mark.parametrize("model", UNUSED)
def test_what_is_unused_is_a_field_of_a_plan(model):
    plan = changed(TIERS["full"].websocket, WebSocketChanges(model=model))
    assert UNUSED[model] <= set(type(plan).model_fields)
    assert UNUSED[model] <= {path[0] for path, _ in idle_fields(plan, secure=True)}


def test_a_cluster_with_one_shard_is_told_of_the_suite_that_has_it():
    alone = RunSettings(dask="tcp://scheduler:8786")
    settings = load().model_copy(update={"run": alone})
    plan = planned(settings, "full", TierChanges(websocket=WebSocketChanges(shards=2))).plan
    (said,) = lone_shards(settings, plan)
    assert "one worker makes the whole load of the database suite" in said
    assert said.endswith("set database.shards to use more")
    assert lone_shards(settings, plan, ("websocket",)) == ()
    assert lone_shards(load(), plan) == ()
