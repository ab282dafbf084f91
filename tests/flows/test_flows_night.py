from __future__ import annotations

import asyncio
import os
import signal

import pandas as pd
import pytest
from builders import invalidated, with_metric
from outboxes import waiting
from staged import PASSWORD, interrupted, invalid, raising

from flows.in_process.engine import run_flow
from nightbench import settings as settings_module
from nightbench.alerts.outbox import Outbox
from nightbench.errors import ConfigurationError, ExitCode, MeasurementError
from nightbench.history.store import HistoryStore
from nightbench.plan import DatabaseChanges, TierChanges, WebSocketChanges

NIGHT = [f"{tier} {suite}" for tier in ("baseline", "full", "stress") for suite in ("websocket", "database")]


def slow(measurement, _stop):
    return with_metric(measurement, "message.response_time.p95", 2500.0)


def names(outcome) -> list[str]:
    return [f"{each.measurement.tier} {each.measurement.suite}" for each in outcome.verdicts]


def saved_runs(settings) -> list[str]:
    runs = pd.read_parquet(settings.results / "runs")
    return sorted(f"{tier} {suite}" for tier, suite in zip(runs["tier"], runs["suite"], strict=True))


def outbox(settings) -> list[dict]:
    return waiting(settings.outbox_folder)


def title(event) -> str:
    return event["message"]["formatted"].splitlines()[0]


def alert_titles(settings) -> list[str]:
    return [title(event) for event in outbox(settings)]


def flow_states(api, night_runs: int) -> dict[str, str]:
    """The last flow runs' states by flow name."""
    runs = api("flow_runs/filter", sort="START_TIME_DESC", limit=night_runs)
    flows = {each["id"]: each["name"] for each in api("flows/filter")}
    return {flows[run["flow_id"]]: run["state"]["name"] for run in runs}


def test_a_good_night_measures_every_tier_and_is_met(api, settings, stages):
    outcome = run_flow("nightly", settings, quick=True)

    assert names(outcome) == NIGHT
    assert outcome.exit_code is ExitCode.MET
    assert saved_runs(settings) == sorted(NIGHT)
    assert flow_states(api, 4) == dict.fromkeys(("nightly", "baseline", "full", "stress"), "Completed")


def test_results_are_on_disk_before_anything_else_is_done_with_them(api, settings, stages, monkeypatch):
    def log(place, method, say):
        original = getattr(place, method)

        def logged(self, *args, **kwargs):
            stages.steps.append(say(*args))
            return original(self, *args, **kwargs)

        monkeypatch.setattr(place, method, logged)

    log(HistoryStore, "save", lambda run, _: f"save {run.tier} {run.suite}")
    log(HistoryStore, "save_lines", lambda _: "judge quick")
    log(Outbox, "put", lambda event, _: f"alert {title(event)}")
    log(Outbox, "pending", lambda: "deliver")
    stages.of["quick websocket"] = slow

    run_flow("quick", settings)

    assert stages.steps[:6] == [
        "measure quick websocket",
        "save quick websocket",
        "measure quick database",
        "save quick database",
        "judge quick",
        "alert quick websocket: message.response_time.p95 misses its target",
    ]
    assert set(stages.steps[6:]) == {"deliver"}


def test_a_suite_that_raises_does_not_stop_the_night(api, settings, stages):
    stages.of["full websocket"] = raising(MeasurementError("the load generator gave no result"))

    outcome = run_flow("nightly", settings, quick=True)

    assert names(outcome) == [name for name in NIGHT if name != "full websocket"]
    assert outcome.exit_code is ExitCode.INVALID
    assert outcome.notes == ("full websocket: failed: the load generator gave no result",)
    assert alert_titles(settings) == ["full websocket: failed"]
    states = flow_states(api, 4)
    assert states == {"nightly": "Invalid", "full": "Invalid", "baseline": "Completed", "stress": "Completed"}


def test_a_tier_that_breaks_does_not_stop_the_night(api, settings, stages, monkeypatch):
    from flows.tier import run_tier

    async def broken(tier, *args, **kwargs):
        if tier == "full":
            raise RuntimeError(f"postgresql://app:{PASSWORD}@db/app broke")
        return await run_tier(tier, *args, **kwargs)

    monkeypatch.setattr("flows.tier_flow.run_tier", broken)

    outcome = run_flow("nightly", settings, quick=True)

    assert names(outcome) == [name for name in NIGHT if not name.startswith("full")]
    assert outcome.notes == ("full: failed: RuntimeError: postgresql://app:***@db/app broke",)
    assert outcome.exit_code is ExitCode.INVALID
    assert alert_titles(settings) == ["full: failed"]


def test_a_subject_that_cannot_be_reached_in_the_middle_keeps_the_rest(api, settings, stages):
    error = ConfigurationError("--url", "ws://127.0.0.1:9", "nothing answers there")
    stages.of["quick websocket"] = raising(error)
    told: list[str] = []

    outcome = run_flow("quick", settings, on_note=told.append)

    assert outcome.exit_code is ExitCode.INVALID
    assert saved_runs(settings) == ["quick database"]
    assert told[1:] == ["quick websocket: failed: --url = 'ws://127.0.0.1:9': nothing answers there"]


def test_a_missed_target_is_a_state_an_alert_and_an_exit_code(api, settings, stages):
    stages.of["full websocket"] = slow

    outcome = run_flow("nightly", settings, quick=True)

    assert outcome.exit_code is ExitCode.MISSED
    assert alert_titles(settings) == ["full websocket: message.response_time.p95 misses its target"]
    states = flow_states(api, 4)
    assert (states["nightly"], states["full"], states["stress"]) == (
        "TargetMissed",
        "TargetMissed",
        "Completed",
    )
    (run,) = api("flow_runs/filter", sort="START_TIME_DESC", limit=1, flows={"name": {"any_": ["full"]}})
    assert run["state"]["message"] == "full websocket: message.response_time.p95 < 2,000 ms missed: 2,500 ms"


def test_an_invalid_measurement_is_neither_pass_nor_fail(api, settings, stages):
    stages.of["quick database"] = invalid

    outcome = run_flow("quick", settings)

    assert outcome.exit_code is ExitCode.INVALID
    assert flow_states(api, 1) == {"quick": "Invalid"}
    assert saved_runs(settings) == ["quick database", "quick websocket"]


def test_an_interrupt_ends_the_night_early_and_keeps_what_was_measured(api, settings, stages):
    stages.of["full websocket"] = interrupted
    told: list[str] = []

    outcome = run_flow("nightly", settings, quick=True, on_note=told.append)

    measured = ["baseline websocket", "baseline database", "full websocket"]
    assert names(outcome) == measured
    assert saved_runs(settings) == sorted(measured)
    assert not outcome.verdicts[-1].measurement.validity.complete
    assert outcome.exit_code is ExitCode.INVALID
    assert outcome.delivery is not None
    # somewhere: it stops first, and says so meanwhile
    assert any(each.startswith("stopping early") for each in told)
    assert list(outcome.notes) == [f"{name}: not run: interrupted" for name in NIGHT[3:]]


def test_sigterm_ends_the_night_as_an_interrupt_does(api, settings, stages):
    async def terminated(measurement, stop):
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        return invalidated(measurement, complete=False)

    stages.of["quick websocket"] = terminated

    outcome = run_flow("quick", settings)

    assert saved_runs(settings) == ["quick websocket"]
    assert outcome.exit_code is ExitCode.INVALID


def test_a_second_interrupt_ends_at_once_and_keeps_what_was_recorded(api, settings, stages):
    ended = []

    async def stubborn(_measurement, stop):
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait()
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    stages.of["quick database"] = stubborn

    with pytest.raises(MeasurementError, match="interrupted twice"):
        run_flow("quick", settings)

    assert saved_runs(settings) == ["quick websocket"]
    assert ended == ["cleaned up"]


def test_signal_handlers_are_as_before_afterwards(api, settings, stages):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run_flow("quick", settings)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_measurement_that_cannot_be_saved_is_told_and_shown(api, settings, stages, monkeypatch):
    def full_disk(*_args, **_kwargs):
        raise MeasurementError("could not be saved: no space left on device")

    monkeypatch.setattr(HistoryStore, "save", full_disk)

    outcome = run_flow("quick", settings)

    assert names(outcome) == ["quick websocket", "quick database"]
    assert outcome.exit_code is ExitCode.INVALID
    assert len(outcome.failures) == 2


def test_a_night_without_a_subject_is_alerted(api, settings, stages, monkeypatch):
    def none_there(*_args, **_kwargs):
        raise MeasurementError("PostgreSQL does not come up")

    monkeypatch.setattr("nightbench.night.provide", none_there)

    with pytest.raises(MeasurementError, match="does not come up"):
        run_flow("nightly", settings)

    assert alert_titles(settings) == ["night: failed"]


def test_the_next_night_is_compared_with_this_one(api, settings, stages):
    run_flow("quick", settings)
    outcome = run_flow("quick", settings)
    lines = [line for verdict in outcome.verdicts for line in verdict.judged.lines]
    assert [line.nights for line in lines if line.metric.endswith(".response_time.p95")] == [1, 1]


def test_changes_reach_the_plan_of_every_tier(api, settings, stages):
    changes = TierChanges(websocket=WebSocketChanges(users=7), database=DatabaseChanges(workers=3), blocks=2)

    run_flow("nightly", settings, quick=True, changes=changes)

    assert len(stages.labels) == 3 * 2 * 2

    assert {stages.plans[f"{tier} websocket"].users for tier in ("baseline", "full", "stress")} == {7}
    assert {stages.plans[f"{tier} database"].workers for tier in ("baseline", "full", "stress")} == {3}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("nope", "TIER = 'nope'"),
        ("quick", "results"),
    ],
)
def test_what_is_wrong_is_told_before_any_load(settings, stages, tmp_path, name, wrong):
    (tmp_path / "file").write_text("in the way")
    wrong_settings = settings.model_copy(update={"results": tmp_path / "file"})

    with pytest.raises(ConfigurationError, match=wrong):
        run_flow(name, wrong_settings)

    assert stages.steps == []


def test_a_tier_flow_run_by_prefect_itself_does_the_whole_night(api, prefect_server, settings, stages):
    from prefect.settings import temporary_settings

    from flows.quick import quick

    stages.of["quick websocket"] = slow
    with settings_module.use(settings), temporary_settings({"api.url": prefect_server.api_url}):
        state = asyncio.run(quick(quick=True, return_state=True))

    assert state.name == "TargetMissed"
    assert saved_runs(settings) == ["quick database", "quick websocket"]
    assert alert_titles(settings) == ["quick websocket: message.response_time.p95 misses its target"]
