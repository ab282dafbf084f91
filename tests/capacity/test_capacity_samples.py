from __future__ import annotations

import pytest

from nightbench.capacity.samples import fewest_for, lowest_load
from nightbench.plan import TierChanges
from nightbench.tiers import TIERS

P95 = "message.response_time.p95"


@pytest.mark.parametrize(
    ("metric", "fewest"),
    [(P95, 20), ("message.response_time.p99", 100), ("query.success_rate", 20), ("query.wait.p50", 20)],
)
def test_a_percentile_needs_samples_beyond_it(metric, fewest):
    assert fewest_for(metric) == fewest


@pytest.mark.parametrize(
    ("changes", "suite", "seconds", "lowest"),
    [
        ({}, "websocket", 30, 2),
        ({}, "websocket", 4, 11),
        ({"websocket": {"rate": 1000}}, "websocket", 4, 1),
        ({"websocket": {"model": "closed"}}, "websocket", 1, 1),
        ({}, "database", 2, 11),
        ({}, "database", 30, 1),
    ],
)
def test_the_lowest_load_has_operations_enough(changes, suite, seconds, lowest):
    plan = TIERS["full"].changed(TierChanges.model_validate(changes))
    assert lowest_load(plan, suite, [P95, "message.success_rate"], seconds=seconds) == lowest
