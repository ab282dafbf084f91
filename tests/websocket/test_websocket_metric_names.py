"""The names that targets may have are those of the metrics that runs have."""

import pytest
from servers import chat_server, polite
from websocket.test_websocket_generator import load

from nightbench.database.metrics import metric_names as database_metric_names
from nightbench.plan import WebSocketPlan
from nightbench.tiers import TIERS
from nightbench.websocket.metrics import metric_names, websocket_metrics

BODY = {"type": "chat", "id": "${id}", "message": "x"}
KINDS = [{"name": "ask", "body": BODY}, {"name": "ping", "body": BODY}]


def plan_of(**fields):
    return WebSocketPlan(**{"users": 3, "duration": 0.3, **fields})


@pytest.mark.parametrize("fields", [{}, {"messages": KINDS}, {"greeting": KINDS[0], "reconnect": True}])
def test_what_a_run_measures_has_a_name_that_is_known(fields):
    with chat_server(polite) as url:
        result = load(url, duration=0.3, **fields)
    measured = {metric.name for metric in websocket_metrics(result)}
    known = metric_names(plan_of(**{"reconnect": False, **fields}))
    assert measured <= known
    # what is known and was not measured did not happen
    rare = ("failure_time", "reconnection", "tls_time", "downtime", "chunk_gap")
    assert {name for name in known - measured if not any(it in name for it in rare)} == set()


@pytest.mark.parametrize("tier", TIERS)
def test_the_default_promises_are_about_what_is_measured(tier):
    plan = TIERS[tier]
    assert {target.metric for target in plan.websocket.promises} <= metric_names(plan.websocket)
    assert {target.metric for target in plan.database.promises} <= database_metric_names(plan.database)


def test_what_a_plan_cannot_have_is_not_known():
    plain = metric_names(plan_of(messages=KINDS[:1], reconnect=False))
    assert not any(name.startswith(("greeting", "reconnection", "message[")) for name in plain)
    full = metric_names(plan_of(messages=KINDS, greeting=KINDS[0]))
    assert {"greeting.time.p95", "reconnection.attempts", "message[ask].response_time.p95"} <= full


def test_statements_are_known_by_their_names():
    assert {"query[expense_listing].execute_time.p95", "pool.wait.p99", "query.leaked_rows"} <= set(
        database_metric_names(TIERS["quick"].database)
    )
