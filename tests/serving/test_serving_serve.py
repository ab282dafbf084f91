"""`nightbench serve`: what is there when it is ready, what a second start changes, and what is left when it ends."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import stack as stacks
import yaml
from processes import survivors

pytestmark = pytest.mark.served

ROOT = Path(__file__).parents[2]
NAMES = [each["name"] for each in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]]


def family(process: subprocess.Popen) -> list[psutil.Process]:
    return [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]


def child(stack: stacks.Stack, module: str) -> psutil.Process | None:
    """The process of `stack` that runs a module."""
    for each in family(stack.process):
        with suppress(psutil.Error):  # one that has just ended
            if module in " ".join(each.cmdline()):
                return each
    return None


def names_of(stack: stacks.Stack, path: str) -> list[str]:
    return sorted(each["name"] for each in stack.ask(path))


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
    assert [name for name in names_of(stack, "/automations/filter") if name.startswith("nightbench:")] == [
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
    worker = child(stack, "flows.serving.worker_process").environ()
    assert worker["NIGHTBENCH_RESULTS"] == str(stack.results)
    assert worker["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"
    assert worker["PREFECT_API_URL"] == stack.api_url


def test_the_database_lets_nobody_in_without_its_password(stack):
    port = (stack.data / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[3]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://postgres:guess@127.0.0.1:{port}/prefect", connect_timeout=10)


def test_only_the_server_knows_that_password(stack):
    password = (stack.data / "postgres" / "superuser-password").read_text()
    who = [each for each in family(stack.process) if password in str(each.environ().values())]
    assert [each.pid for each in who] == [child(stack, "flows.in_process.server_process").pid]
    assert password not in "".join(file.read_text() for file in (stack.data / "logs").iterdir())


def test_a_worker_that_was_killed_is_started_again(stack):
    worker = child(stack, "flows.serving.worker_process")
    worker.kill()

    def another():
        now = child(stack, "flows.serving.worker_process")
        return now is not None and now.pid != worker.pid

    stack.until(another)
    assert stack.process.poll() is None


def test_another_server_gets_only_what_is_missing_there(stack, stack_cache, tmp_path):
    stack.api.delete(f"/deployments/{stack.deployment('stress')['id']}").raise_for_status()
    before = {name: stack.deployment(name)["id"] for name in NAMES if name != "stress"}
    flags = ("--api-url", stack.api_url, "--no-worker")
    with stacks.started(tmp_path / "data", tmp_path, *flags, cache=stack_cache) as other:
        assert other.api_url == stack.api_url
        assert stack.deployment("stress")
    assert before == {name: stack.deployment(name)["id"] for name in before}
    assert [each["active"] for each in stack.deployment("nightly")["schedules"]] == [False]
    assert sorted(path.name for path in (tmp_path / "data").iterdir() if path.is_dir()) == ["logs"]
    assert stack.process.poll() is None


@pytest.fixture(scope="module")
def changed(stack_cache, tmp_path_factory):
    """A serve that was killed while it started, then one on its data and on a file that has changed."""
    tmp = tmp_path_factory.mktemp("changed")
    data, project = tmp / "data", tmp / "project"
    subprocess.run(["cp", "-a", str(stacks.make_template(stack_cache)), str(data)], check=True)
    killed = stacks.start(data, tmp, "--no-worker", cache=stack_cache)
    told = killed.stderr.readline()
    while not list(data.glob("postgres/data/postmaster.pid")):
        assert killed.poll() is None, told
    left = family(killed)[1:]
    killed.kill()
    killed.communicate()

    project.mkdir()
    for name in ("flows", "deployments"):
        (project / name).symlink_to(ROOT / name)
    content = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    entries = {each["name"]: each for each in content["deployments"]}
    entries["nightly"]["schedules"][0]["cron"] = "30 4 * * *"
    entries["full"]["description"] = "Changed in the file."
    entries["quick"]["schedules"] = [{"slug": "hourly", "cron": "7 * * * *", "timezone": "Europe/Zurich"}]
    entries["trend-report"]["schedules"] = []
    del entries["stress"]
    (project / "prefect.yaml").write_text(yaml.safe_dump({**content, "deployments": list(entries.values())}))
    flags = ("--no-worker", "--file", str(project / "prefect.yaml"))
    with stacks.started(data, tmp, *flags, cache=stack_cache) as stack:
        stack.left = left
        yield stack
    shutil.rmtree(data)


def test_a_killed_serve_leaves_no_process_and_the_next_one_starts(changed):
    assert survivors(changed.left) == []
    assert changed.process.poll() is None


def test_what_changed_in_the_file_changes_and_what_a_user_paused_stays_paused(changed):
    assert changed.deployment("full")["description"] == "Changed in the file."
    (night,) = changed.deployment("nightly")["schedules"]
    assert (night["schedule"]["cron"], night["active"]) == ("30 4 * * *", False)


def test_what_is_new_in_the_file_is_made_and_what_is_gone_is_removed(changed):
    (hourly,) = changed.deployment("quick")["schedules"]
    assert (hourly["slug"], hourly["active"]) == ("hourly", True)
    assert hourly["schedule"]["timezone"] == "Europe/Zurich"
    assert changed.deployment("trend-report")["schedules"] == []
    assert changed.api.get("/deployments/name/stress/stress").status_code == 404


def test_what_has_not_changed_is_left_alone(changed):
    assert changed.deployment("baseline")["updated"] < changed.deployment("full")["updated"]
    assert len(names_of(changed, "/automations/filter")) == 4
