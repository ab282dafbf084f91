"""`nightbench serve`: what is there when it is ready."""

from __future__ import annotations

from pathlib import Path

import psutil
import psycopg
import pytest
import yaml

pytestmark = pytest.mark.served

ROOT = Path(__file__).parents[2]
NAMES = [each["name"] for each in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]]


@pytest.mark.parametrize("name", NAMES)
def test_every_deployment_is_there(stack, name):
    deployment = stack.deployment(name)
    assert deployment["paused"] is False
    assert deployment["parameter_openapi_schema"]["properties"]
    assert str(ROOT) not in str(deployment)


def test_the_pool_takes_one_run_at_a_time(stack):
    pool = stack.read("/work_pools/nightbench")
    assert (pool["type"], pool["concurrency_limit"], pool["status"]) == ("process", 1, "READY")


def test_the_automations_are_there_once_each(stack):
    names = sorted(each["name"] for each in stack.ask("/automations/filter"))
    assert [name for name in names if name.startswith("nightbench:")] == [
        "nightbench: a run without a sign of life has crashed",
        "nightbench: a target was missed",
        "nightbench: no night for 26 hours",
        "nightbench: the trend after a regression",
    ]


def test_the_ui_is_served(stack):
    page = stack.api.get(f"{stack.ui_url}/", follow_redirects=True, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "<title>Prefect" in page.text


def test_a_scheduled_night_is_stored(stack):
    nightly = stack.deployment("nightly")
    (schedule,) = nightly["schedules"]
    address = f"/deployments/{nightly['id']}/schedules/{schedule['id']}"
    of_night = {"deployment_id": {"any_": [nightly["id"]]}, "state": {"type": {"any_": ["SCHEDULED"]}}}
    stack.api.patch(address, json={"active": True}).raise_for_status()
    try:
        planned = stack.until(lambda: stack.ask("/flow_runs/filter", flow_runs=of_night))
    finally:
        stack.api.patch(address, json={"active": False}).raise_for_status()
    assert {run["expected_start_time"][10:] for run in planned} == {"T03:15:00Z"}


def test_the_worker_has_the_settings_of_who_serves_and_its_runs_give_signs_of_life(stack):
    worker = stack.worker().environ()
    assert worker["NIGHTBENCH_RESULTS"] == str(stack.results)
    assert worker["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"
    assert worker["PREFECT_API_URL"] == stack.api_url


def test_the_database_lets_nobody_in_without_its_password(stack):
    port = (stack.data / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[3]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://postgres:guess@127.0.0.1:{port}/prefect", connect_timeout=10)


def test_only_the_server_knows_that_password(stack):
    password = (stack.data / "postgres" / "superuser-password").read_text()
    serve = psutil.Process(stack.process.pid)
    who = [each for each in (serve, *serve.children(recursive=True)) if password in str(each.environ())]
    assert who == stack.processes("flows.in_process.server_process")
    assert password not in "".join(file.read_text() for file in (stack.data / "logs").iterdir())
