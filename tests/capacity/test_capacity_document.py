from __future__ import annotations

import json

import pytest
from capacity.searched import NOTHING, found

from nightbench.capacity.document import capacity_document


def test_it_has_what_was_found():
    document = capacity_document(found(), environment="staging", notes=["one"])
    assert (document["schema"], document["suite"], document["tier"]) == (1, "websocket", "full")
    assert (document["environment"], document["unit"], document["notes"]) == ("staging", "users", ["one"])
    answer = document["answer"]
    assert (answer["load"], answer["below"], answer["confirmed"], answer["interrupted"]) == (
        310,
        320,
        True,
        False,
    )
    low, high = document["interval"]
    assert low <= 310
    assert high >= 320
    assert {"metric": "message.response_time.p95", "op": "<", "limit": 2000.0} in document["targets"]


def test_each_step_leads_to_its_run():
    step = capacity_document(found(), environment="local")["steps"][2]
    assert step["reasons"] == ["message.response_time.p95 < 2,000 ms missed: 2,412 ms"]
    assert {
        name: step[name] for name in ("load", "why", "result", "p95_ms", "success", "throughput", "run_id")
    } == {
        "load": 320,
        "why": "bisect",
        "result": "missed",
        "p95_ms": 2412.0,
        "success": 99.7,
        "throughput": 158.0,
        "run_id": "run-3",
    }


@pytest.mark.parametrize("what", [found(), NOTHING, found(suite="database", interrupted=True)])
def test_it_is_json_without_a_nan(what):
    json.dumps(capacity_document(what, environment="local"), allow_nan=False)


def test_an_interrupted_search_has_confirmed_nothing():
    answer = capacity_document(found(interrupted=True), environment="local")["answer"]
    assert (answer["confirmed"], answer["interrupted"]) == (False, True)
