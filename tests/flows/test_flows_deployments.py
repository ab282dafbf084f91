from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from nightbench.plan import TierChanges, WebSocketChanges

FILE = Path(__file__).parents[2] / "prefect.yaml"
CONTENT = yaml.safe_load(FILE.read_text())
DEPLOYMENTS = {each["name"]: each for each in CONTENT["deployments"]}

# Prefect is imported late in here: to import it takes seconds, and every worker collects these tests.


@pytest.fixture(params=DEPLOYMENTS)
def deployment(request) -> dict:
    return DEPLOYMENTS[request.param]


@pytest.fixture
def flow(deployment, monkeypatch):
    from prefect.flows import load_flow_from_entrypoint

    monkeypatch.chdir(FILE.parent)
    return load_flow_from_entrypoint(deployment["entrypoint"])


def test_the_file_has_no_key_that_prefect_would_pass_over():
    from prefect.cli.deploy._models import PrefectYamlModel

    top_level = {field.alias or name for name, field in PrefectYamlModel.model_fields.items()}
    assert set(CONTENT) <= top_level
    PrefectYamlModel.model_validate(CONTENT)


def test_a_deployment_has_no_key_that_prefect_would_pass_over(deployment):
    from prefect.cli.deploy._models import DeploymentConfig

    assert set(deployment) <= set(DeploymentConfig.model_fields)


def test_there_is_one_for_every_flow():
    assert set(DEPLOYMENTS) == {"nightly", "baseline", "full", "stress", "quick"}


def test_its_flow_has_its_name(deployment, flow):
    assert flow.name == deployment["name"]


def test_its_flow_takes_its_parameters(deployment, flow):
    assert flow.validate_parameters(deployment["parameters"])["quick"] is False


def test_a_tier_by_itself_is_one_block_and_a_night_as_many_as_its_tiers_have(deployment, flow):
    taken = flow.validate_parameters(deployment["parameters"])
    often = {name: taken[name] for name in ("blocks", "reruns") if name in taken}
    assert often == ({} if flow.name == "nightly" else {"blocks": 1, "reruns": 0})


def test_the_form_shows_how_often_with_help_and_bounds(flow):
    form = flow.parameters.model_dump()
    nightly = flow.name == "nightly"
    blocks = (form["definitions"]["TierChanges"] if nightly else form)["properties"]["blocks"]
    assert (blocks["anyOf"][0]["minimum"], blocks["anyOf"][0]["maximum"]) == (1, 9)
    assert blocks["description"]


def test_the_form_shows_the_plan_with_help_and_bounds(flow):
    definitions = flow.parameters.model_dump()["definitions"]
    users = definitions["WebSocketChanges"]["properties"]["users"]
    assert users["title"] == "Users"
    assert users["description"]
    assert users["anyOf"][0]["exclusiveMinimum"] == 0


def test_no_parameter_is_where_or_as_whom_it_runs(flow):
    definitions = flow.parameters.model_dump()["definitions"].values()
    names = {name for each in definitions for name in each.get("properties", {})}
    assert not names & {"dsn", "database_dsn", "url", "websocket_url", "token", "password"}


def test_the_form_hides_what_may_be_a_secret(flow):
    definitions = flow.parameters.model_dump()["definitions"]
    headers = definitions["WebSocketChanges"]["properties"]["headers"]["anyOf"][0]
    template = definitions["TokenSource"]["properties"]["template"]["anyOf"][0]
    assert [each["format"] for each in (headers["additionalProperties"], template)] == ["password"] * 2


def test_a_plan_with_secrets_reaches_the_flow_and_prefect_stores_none(flow):
    changes = WebSocketChanges(headers={"X-Key": "hunter2"}, tokens={"template": "hunter2"})
    place = {"websocket": changes}
    parameters = {"full": TierChanges(**place)} if flow.name == "nightly" else place
    stored = json.dumps(flow.serialize_parameters(parameters))
    assert "X-Key" in stored
    assert "hunter2" not in stored
    taken = flow.validate_parameters(parameters)
    websocket = taken["full"].websocket if flow.name == "nightly" else taken["websocket"]
    assert websocket.headers["X-Key"].get_secret_value() == "hunter2"


def test_the_form_takes_what_users_bring(flow):
    from prefect.utilities.schema_tools.validation import validate

    changes = {
        "messages": [{"name": "ask", "weight": 2, "body": {"id": "${id}", "deep": [1, {"x": None}]}}],
        "greeting": {"name": "hello", "text": "hi ${id}"},
        "rate_profile": [{"at": 0, "rate": 5}],
        "reply": {"match": "order", "done": {"path": "type", "op": "==", "value": "end"}},
        "headers": {"X-Key": "${env:KEY}"},
        "tokens": {"command": ["make-tokens"]},
        "tls": {"verify": False},
        "subprotocols": ["chat"],
        "targets": [{"metric": "message.throughput", "op": "between", "limit": 45, "upper": 55}],
    }
    place = {"websocket": changes}
    parameters = {"full": place} if flow.name == "nightly" else place
    validate(parameters, flow.parameters.model_dump(), raise_on_error=True)
    taken = flow.validate_parameters(parameters)
    websocket = taken["full"].websocket if flow.name == "nightly" else taken["websocket"]
    assert websocket.messages[0].body == changes["messages"][0]["body"]


def test_a_parameter_out_of_bounds_is_refused(flow):
    place = {"websocket": {"users": 0}}
    wrong = dict.fromkeys(("baseline",), place) if flow.name == "nightly" else place
    with pytest.raises(Exception, match="greater than 0"):
        flow.validate_parameters(wrong)


def test_it_runs_on_the_pool_one_at_a_time(deployment):
    assert deployment["work_pool"] == {"name": "nightbench"}
    assert deployment["concurrency_limit"]["limit"] == 1


def test_only_the_night_has_a_schedule():
    from prefect.client.schemas.schedules import construct_schedule

    scheduled = {name: each["schedules"] for name, each in DEPLOYMENTS.items() if "schedules" in each}
    assert scheduled == {"nightly": [{"cron": "15 3 * * *", "timezone": "UTC"}]}
    assert construct_schedule(cron="15 3 * * *", timezone="UTC").cron == "15 3 * * *"
