"""A flow whose process is killed, as a Prefect runner sees it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest
import yaml
from outboxes import waiting
from sentry_servers import kent
from staged import PASSWORD, raising
from waiting import until

from flows.in_process.engine import run_flow
from nightbench import settings as settings_module

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def sentry(tmp_path):
    with kent(tmp_path) as server:
        yield server


@pytest.fixture
def runner_s_environment(api, sentry, tmp_path, monkeypatch):
    """What the runner and its flow runs read; the same for the hook."""
    results = tmp_path / "results"
    results.mkdir()
    monkeypatch.chdir(tmp_path)  # the runner goes to the project's folder, for the hook
    monkeypatch.setenv("NIGHTBENCH_SENTRY_DSN", sentry.dsn)
    monkeypatch.setenv("NIGHTBENCH_RESULTS", str(results))
    monkeypatch.setenv("NIGHTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NIGHTBENCH_ENVIRONMENT", "staging")
    return {**os.environ, "PYTHONPATH": str(PROJECT), "STAGED_SUITES": "1"}


async def scheduled_run() -> object:
    """A run of the nightly deployment as ``prefect deploy`` makes it."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import CronSchedule

    declared = yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]
    (nightly,) = [each for each in declared if each["name"] == "nightly"]
    async with get_client() as client:
        deployment = await client.create_deployment(
            await client.create_flow_from_name("nightly"),
            "nightly",
            entrypoint="tests/flows/served.py:nightly",
            pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(PROJECT)}}],
            schedules=[
                DeploymentScheduleCreate(schedule=CronSchedule(cron=each["cron"], timezone=each["timezone"]))
                for each in nightly["schedules"]
            ],
        )
        return await client.create_flow_run_from_deployment(deployment, parameters={"quick": True})


def test_a_night_that_is_killed_is_one_alert_with_its_run_and_an_error_of_the_monitor(
    api, prefect_server, sentry, runner_s_environment, tmp_path
):
    from prefect.runner import Runner
    from prefect.settings import temporary_settings

    async def killed():
        run = await scheduled_run()
        running = asyncio.create_task(
            Runner()._execute_flow_run(run.id, env=runner_s_environment, stream_output=False)
        )
        marker = tmp_path / "results" / "hangs"
        await asyncio.to_thread(until, lambda: running.done() or (marker.exists() and marker.read_text()))
        assert not running.done()
        process = psutil.Process(int(marker.read_text()))
        assert psutil.Process() in process.parents()
        process.send_signal(signal.SIGKILL)
        await running
        return run

    with temporary_settings(updates={"api.url": prefect_server.api_url}):
        run = asyncio.run(killed())

    begin, end = [item.body for item in sentry.items() if item.type == "check_in"]
    assert (begin["status"], end["status"]) == ("in_progress", "error")
    assert begin["check_in_id"] == end["check_in_id"]
    assert begin["monitor_config"]["schedule"] == {"type": "crontab", "value": "15 3 * * *"}
    assert begin["monitor_config"]["timezone"] == "UTC"
    (event,) = [item.body for item in sentry.items() if item.type == "event"]
    assert event["fingerprint"] == ["crashed", "all", "all", "run", "staging"]
    assert str(run.id) in event["contexts"]["links"]["run"]
    assert "-9" in event["contexts"]["benchmark"]["reason"]


def test_a_night_that_its_own_process_ends_is_told_once_by_the_hook(
    api, prefect_server, settings, stages, tmp_path
):
    from prefect.settings import temporary_settings

    from flows.quick import quick

    stages.of["quick websocket"] = raising(SystemExit(f"told to end, password={PASSWORD}"))
    with (
        temporary_settings(updates={"api.url": prefect_server.api_url}),
        settings_module.use(settings),
        pytest.raises(SystemExit),
    ):
        asyncio.run(quick())

    (event,) = waiting(settings.outbox_folder)
    assert event["fingerprint"] == ["crashed", "all", "quick", "run", "local"]
    assert "/runs/flow-run/" in event["contexts"]["links"]["run"]
    assert PASSWORD not in str(event)


def test_what_is_interrupted_in_a_terminal_is_told_by_its_night_alone(api, settings, stages):
    stages.of["baseline websocket"] = raising(SystemExit("told to end"))

    with pytest.raises(BaseException):  # noqa: B017, PT011  # whatever ends it
        run_flow("nightly", settings, quick=True)

    (event,) = waiting(settings.outbox_folder)
    assert event["fingerprint"] == ["failed", "all", "all", "run", "local"]
