"""`nightbench doctor` beside a `nightbench serve`: all is well but the schedule, which the tests have paused."""

from __future__ import annotations

import pytest

from flows.serving.examined import examine_prefect
from nightbench import settings

pytestmark = pytest.mark.served


def test_the_server_of_this_machine_is_found_and_well_but_for_its_schedule(stack):
    states = {each.name: each.state for each in examine_prefect(settings.load(), stack.data)}
    assert states == {
        "server": "ok",
        "work pool": "ok",
        "worker": "ok",
        "deployments": "ok",
        "schedule": "failure",
        "runs": "ok",
        "concurrency": "ok",
    }
