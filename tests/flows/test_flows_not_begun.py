"""A flow that is interrupted before any load has begun."""

from __future__ import annotations

import os
import signal

from flows.in_process.engine import run_flow
from nightbench.alerts.outbox import Outbox
from nightbench.errors import ExitCode, NotBegunError


async def interrupted_before_the_load(_measurement, stop):
    os.kill(os.getpid(), signal.SIGINT)
    await stop.wait()
    raise NotBegunError


def test_it_has_run_nothing_and_nothing_has_failed(api, settings, stages):
    stages.of["quick websocket"] = interrupted_before_the_load

    outcome = run_flow("quick", settings)

    assert outcome.exit_code is ExitCode.INTERRUPTED
    assert list(outcome.notes) == [
        "quick websocket: not run: interrupted",
        "quick database: not run: interrupted",
    ]
    assert stages.steps == ["measure quick websocket"]
    assert [*Outbox(settings.outbox_folder).pending()] == []


def test_what_was_measured_before_is_kept_and_makes_the_night_incomplete(api, settings, stages):
    stages.of["full websocket"] = interrupted_before_the_load

    outcome = run_flow("nightly", settings, quick=True)

    assert outcome.exit_code is ExitCode.INVALID
    assert len(outcome.verdicts) == 2
    assert outcome.failures == ()
    assert outcome.notes[0] == "full websocket: not run: interrupted"
