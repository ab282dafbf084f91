"""A flow that Prefect runs, in the process of the flow run, when that is told to end."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from outboxes import titles
from staged import until_stopped

from nightbench import settings as settings_module
from nightbench.history.store import HistoryStore

HANDLERS = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]


def told(times):
    """A suite whose process is told to end so often."""

    async def stage(measurement, stop):
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        return await until_stopped(measurement, stop)

    return stage


def run(flow, prefect_server, settings):
    from prefect.settings import temporary_settings

    with temporary_settings(updates={"api.url": prefect_server.api_url}), settings_module.use(settings):
        return asyncio.run(flow(quick=True, return_state=True))


def complete_runs(settings) -> dict[str, bool]:
    runs = HistoryStore(settings.results).runs()
    return {f"{run.tier} {run.suite}": bool(run.complete) for run in runs.itertuples()}


def test_told_in_the_middle_a_night_ends_early_and_tells_once(api, prefect_server, settings, stages):
    from flows.nightly import nightly

    stages.of["full websocket"] = told(1)
    state = run(nightly, prefect_server, settings)

    assert (state.type.value, state.name) == ("CRASHED", "Interrupted")
    assert "full websocket (incomplete); full database: not run" in state.message
    assert complete_runs(settings) == {
        "baseline websocket": True,
        "baseline database": True,
        "full websocket": False,
    }
    assert sorted(titles(settings.outbox_folder)) == [
        "full websocket: the measurement is incomplete",
        "night: failed",
    ]


def test_told_twice_it_ends_at_once_and_the_hook_tells(api, prefect_server, settings, stages):
    from flows.quick import quick

    stages.of["quick database"] = told(2)
    state = run(quick, prefect_server, settings)

    assert (state.type.value, state.name) == ("CRASHED", "Crashed")
    assert state.message == "told to end at once; kept: quick websocket; what ran then is lost"
    assert complete_runs(settings) == {"quick websocket": True}
    assert titles(settings.outbox_folder) == ["quick: crashed"]


def test_told_when_all_is_measured_it_ends_as_it_would_have(
    api, prefect_server, settings, stages, monkeypatch
):
    from flows.quick import quick

    deliver = "nightbench.night.Night.deliver"
    monkeypatch.setattr(deliver, lambda _: os.kill(os.getpid(), signal.SIGTERM))
    state = run(quick, prefect_server, settings)

    assert state.is_completed()
    assert titles(settings.outbox_folder) == []


@pytest.mark.parametrize("times", [0, 1])
def test_the_signals_are_as_before_afterwards(api, prefect_server, settings, stages, times):
    from flows.quick import quick

    if times:
        stages.of["quick websocket"] = told(times)
    run(quick, prefect_server, settings)

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == HANDLERS
