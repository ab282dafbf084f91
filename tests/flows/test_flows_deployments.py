from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from nightbench.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
FILE = ROOT / "prefect.yaml"
CONTENT = yaml.safe_load(FILE.read_text())
DEPLOYMENTS = {each["name"]: each for each in CONTENT["deployments"]}
AUTOMATIONS = ROOT / "deployments" / "automations.yaml"

# Prefect is imported late in here: to import it takes seconds, and every worker collects these tests.


@pytest.fixture(scope="module")
def ready():
    """Every deployment of the file, its flow loaded and its parameters tried."""
    from flows.serving.deployments import ready_deployments
    from flows.serving.project_file import ProjectFile

    return {each.entry.name: each for each in ready_deployments(ProjectFile.parse(CONTENT), FILE)}


@pytest.fixture
def of_one():
    """Load a file with one deployment, which is `quick` with some fields changed."""
    from flows.serving.deployments import ready_deployments
    from flows.serving.project_file import ProjectFile

    def load(**changes):
        content = {**CONTENT, "deployments": [{**DEPLOYMENTS["quick"], **changes}]}
        return ready_deployments(ProjectFile.parse(content), FILE)

    return load


def test_prefect_itself_takes_the_file():
    from prefect.cli.deploy._models import DeploymentConfig, PrefectYamlModel

    PrefectYamlModel.model_validate(CONTENT)
    known = set(DeploymentConfig.model_fields)
    assert [key for each in DEPLOYMENTS.values() for key in each if key not in known] == []


def test_there_is_one_for_every_flow(ready):
    made = re.compile(r"^@flow\(|^\w+ = tier_flow\(", re.MULTILINE)
    flows = {path.stem for path in (ROOT / "flows").glob("*.py") if made.search(path.read_text())}
    assert {each.flow_name.replace("-", "_") for each in ready.values()} == flows


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_its_flow_has_its_name(ready, name):
    assert ready[name].full_name == f"{name}/{name}"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_it_runs_on_the_pool_one_at_a_time_and_holds_no_folder(ready, name):
    payload = ready[name].payload
    assert (payload["work_pool_name"], payload["concurrency_limit"]) == ("nightbench", 1)
    assert payload["pull_steps"] == [{"flows.serving.project.project_folder": {}}]


def test_what_the_server_is_told_is_the_same_each_time(ready):
    from flows.serving.deployments import ready_deployments
    from flows.serving.project_file import ProjectFile

    again = {each.entry.name: each for each in ready_deployments(ProjectFile.parse(CONTENT), FILE)}
    assert {name: each.definition for name, each in again.items()} == {
        name: each.definition for name, each in ready.items()
    }


def test_the_pull_step_finds_the_project():
    from flows.serving.project import project_folder

    folder = Path(project_folder()["directory"])
    assert [
        each["entrypoint"]
        for each in DEPLOYMENTS.values()
        if not (folder / each["entrypoint"].split(":")[0]).exists()
    ] == []


WRONG = {
    "an entrypoint without a file": ({"entrypoint": "flows/none.py:quick"}, "entrypoint"),
    "an entrypoint without a flow": ({"entrypoint": "flows/quick.py:slow"}, "entrypoint"),
    "a parameter that the flow has not": ({"parameters": {"quik": True}}, "parameters"),
    "a parameter out of bounds": ({"parameters": {"blocks": 0}}, "parameters"),
    "a parameter of a schedule": (
        {"schedules": [{"slug": "a", "cron": "0 1 * * *", "timezone": "UTC", "parameters": {"quik": 1}}]},
        "schedules.0.parameters",
    ),
    "a trigger without what it expects": ({"triggers": [{"within": "soon"}]}, "triggers.0"),
    "an unknown key of a trigger": (
        {"triggers": [{"expect": ["a.b"], "expct": ["a.b"]}]},
        "triggers.0.expct",
    ),
    "an unknown key in a trigger's match": (
        {"triggers": [{"type": "compound", "require": "any", "within": 60, "triggers": [{"expct": ["a"]}]}]},
        "triggers.0",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_prefect_would_find_out_at_night_is_refused_now(of_one, case):
    changes, place = WRONG[case]
    with pytest.raises(ConfigurationError, match=rf"^prefect\.yaml: deployments\.0\.{place}"):
        of_one(**changes)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_server_refuses_a_parameter_that_there_is_not(ready, name):
    from prefect.utilities.schema_tools.validation import validate

    schema = ready[name].payload["parameter_openapi_schema"]
    assert validate(dict(ready[name].entry.parameters), schema) == []
    (error,) = validate({"nope": 1}, schema)
    assert "nope" in error.message


def test_the_automations_are_taken():
    from flows.serving.automations import read_automations

    posture = {each.name: each.trigger.posture.value for each in read_automations(AUTOMATIONS)}
    assert posture == {
        "nightbench: a run without a sign of life has crashed": "Proactive",
        "nightbench: a target was missed": "Reactive",
        "nightbench: no night for 26 hours": "Proactive",
    }


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_run_has_several_signs_of_life_in_the_time_after_which_it_has_crashed_under_any_worker(ready, name):
    from flows.serving.automations import read_automations

    zombie = read_automations(AUTOMATIONS)[0]
    between = float(ready[name].payload["job_variables"]["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    assert zombie.trigger.within.total_seconds() >= 3 * between


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("enabld", True, "automations.0.enabld: no such key"),
        ("trigger/postre", "Reactive", "automations.0.trigger.postre: no such key"),
        ("actions/0/mesage", "x", "automations.0.actions.0.mesage: no such key"),
        ("trigger/within", "soon", "automations.0"),
        ("actions/0/type", "write-a-letter", "automations.0"),
        ("name", None, "automations.0"),
    ],
)
def test_what_prefect_would_pass_over_in_an_automation_is_refused(path, value, place):
    from test_flows_project_file import with_change

    from flows.serving.automations import parse_automations

    content = yaml.safe_load(AUTOMATIONS.read_text())
    with pytest.raises(ConfigurationError, match=place):
        parse_automations(with_change(content, f"automations/0/{path}", value), "automations.yaml")


def test_two_automations_of_a_name_are_refused():
    from flows.serving.automations import parse_automations

    content = yaml.safe_load(AUTOMATIONS.read_text())
    twice = {"automations": [content["automations"][0]] * 2}
    with pytest.raises(ConfigurationError, match="the same name"):
        parse_automations(twice, "automations.yaml")
