"""The form that the Prefect UI makes of a flow's parameters, and what the server says of the answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nightbench.plan import TierChanges, WebSocketChanges

ROOT = Path(__file__).parents[2]
TIERS = ("baseline", "full", "stress", "quick")
FLOWS = ("full", "nightly")

# Prefect is imported late in here: to import it takes seconds, and every worker collects these tests.


@pytest.fixture(scope="module")
def flows() -> dict:
    from prefect.flows import load_flow_from_entrypoint

    return {
        name: load_flow_from_entrypoint(f"{ROOT / 'flows' / name}.py:{name}") for name in (*TIERS, "nightly")
    }


@pytest.fixture(scope="module")
def forms(flows) -> dict:
    """The JSON schema of each, as every way of deploying makes it."""
    from prefect.utilities.callables import parameter_schema

    return {name: parameter_schema(flow).model_dump_for_openapi() for name, flow in flows.items()}


@pytest.fixture(params=FLOWS)
def name(request) -> str:
    return request.param


def in_order(fields: dict) -> list[str]:
    return sorted(fields, key=lambda field: fields[field]["position"])


def errors_of(form: dict, answers: dict) -> dict[str, str]:
    """What the UI shows, by the path of the field that it shows it at."""
    from prefect.utilities.schema_tools.validation import validate

    found = validate(answers, form)
    return {"/".join(map(str, error.absolute_path)): error.message for error in found}


def test_every_tier_asks_the_same(forms):
    assert all(forms[tier] == forms["full"] for tier in TIERS)


def test_the_most_wanted_is_asked_first(forms):
    order = in_order(forms["full"]["properties"])
    assert order[:4] == ["url", "users", "duration", "targets"]
    assert order[-2:] == ["websocket", "database"]


def test_every_question_of_a_form_has_a_label_and_help(forms, name):
    for field, shown in forms[name]["properties"].items():
        assert shown["title"] not in ("", field)
        assert shown["description"]


def test_no_label_is_the_name_of_a_class(forms, name):
    definitions = forms[name]["definitions"]
    titles = {
        each["title"] for key, each in definitions.items() if key != "NightbenchSubject" and "title" in each
    }
    assert not {title for title in titles if title in definitions} - {"Condition", "Target"}
    assert {"Message kind", "Reply rules", "TLS options", "Token source", "WebSocket changes"} <= titles


def test_units_stand_in_the_labels(forms):
    assert forms["full"]["properties"]["duration"]["title"] == "Duration (s)"
    assert "times in ms" in forms["full"]["properties"]["targets"]["description"]


def test_an_answer_may_be_left_out(forms, name):
    assert "required" not in forms[name]
    assert errors_of(forms[name], {}) == {}


def test_what_is_left_empty_is_neither_null_nor_a_number(forms):
    for field in ("url", "users", "duration", "targets", "queries", "subject", "release"):
        shown = forms["full"]["properties"][field]
        assert "default" not in shown
        assert "anyOf" not in shown


def test_the_parts_of_a_plan_are_shown_in_its_order(forms):
    definitions = forms["full"]["definitions"]
    assert in_order(definitions["WebSocketChanges"]["properties"])[:3] == ["users", "duration", "model"]
    assert in_order(definitions["MessageKind"]["properties"])[0] == "name"


def test_what_is_asked_first_is_not_asked_again(forms):
    tabs = {tab["title"]: tab for tab in forms["full"]["properties"]["websocket"]["anyOf"]}
    assert not {"users", "duration", "targets"} & set(tabs["Change"]["properties"])
    assert {"rate", "timeout", "reply"} <= set(tabs["Change"]["properties"])


def test_the_nightly_form_asks_where_and_then_for_each_tier(forms):
    order = in_order(forms["nightly"]["properties"])
    assert order == ["url", "subject", "release", "quick", "baseline", "full", "stress"]


GOOD = [
    {"url": "ws://127.0.0.1:8000/chat"},
    {"url": "wss://chat.example"},
    {"users": 1, "duration": 0.5, "queries": 1},
    {"users": 50_000, "duration": 86_400, "queries": 100_000_000},
    {"users": None, "duration": None, "targets": None},
    {"targets": ["message.response_time.p95 < 500", "query.success_rate >= 99"]},
    {"targets": ["45 <= message.throughput <= 55", "query[expense_listing].execute_time.p95 < 1e3"]},
    {"targets": ["message.throughput between 45 and 55"]},
    {"blocks": None, "reruns": 9},
    {"websocket": None, "database": {"workers": 4}},
    {"websocket": {"users": 5, "duration": 3, "targets": ["message.response_time.p95 < 1"]}},
    {"websocket": {"targets": [{"metric": "message.throughput", "op": ">", "limit": 1}]}},
    {"release": "v2.4.1"},
    {"release": "größer 5"},
    {"release": None},
    {"websocket": {"greeting": None, "reply": {"done": "type == end", "expect": None}}},
]


@pytest.mark.parametrize("answers", GOOD, ids=json.dumps)
def test_the_form_and_the_flow_take_what_is_right(flows, forms, answers):
    assert errors_of(forms["full"], answers) == {}
    flows["full"].validate_parameters(answers)


BAD = [
    ({"url": "http://127.0.0.1:8000"}, "url"),
    ({"url": "ws://"}, "url"),
    ({"url": "ws://me:hunter2@127.0.0.1/chat"}, "url"),
    ({"url": "ws://127.0.0.1/chat?token=hunter2"}, "url"),
    ({"url": "ws://127.0.0.1/chat#hunter2"}, "url"),
    ({"url": "ws://127.0.0.1/" + "a" * 2048}, "url"),
    ({"users": 0}, "users"),
    ({"users": 50_001}, "users"),
    ({"users": 1.5}, "users"),
    ({"users": "many"}, "users"),
    ({"duration": 0}, "duration"),
    ({"duration": 86_401}, "duration"),
    ({"queries": 0}, "queries"),
    ({"targets": ["fast"]}, "targets/0"),
    ({"targets": ["p95 < 500"]}, "targets/0"),
    ({"targets": ["message.response_time.p95 < 500", "message.response_time.p95 < 5 s"]}, "targets/1"),
    ({"targets": ["message.response_time.p95 = 500"]}, "targets/0"),
    ({"blocks": 10}, "blocks"),
    ({"release": ""}, "release"),
    ({"release": "   "}, "release"),
    ({"release": "a" * 65}, "release"),
    ({"release": "v1\nv2"}, "release"),
    ({"websocket": {"timeout": 0}}, "websocket/timeout"),
    ({"websocket": {"users": 0}}, "websocket/users"),
    ({"websocket": {"reply": {"match": "guess"}}}, "websocket/reply"),
    ({"websocket": {"usres": 5}}, "websocket"),
    ({"database": {"workers": 0}}, "database/workers"),
    ({"database": {"isolation_level": "none"}}, "database/isolation_level"),
]


@pytest.mark.parametrize(("answers", "where"), BAD, ids=lambda given: str(given)[:60])
def test_what_is_wrong_is_refused_at_its_field_and_by_the_flow(flows, forms, answers, where):
    assert set(errors_of(forms["full"], answers)) == {where}
    with pytest.raises(Exception, match="invalid parameters"):
        flows["full"].validate_parameters(answers)


def test_the_server_refuses_in_words_that_name_the_bound(forms):
    assert errors_of(forms["full"], {"users": 0}) == {"users": "0 is less than the minimum of 1"}


def test_a_tier_of_the_night_is_refused_at_its_field(forms):
    answers = {"full": {"websocket": {"users": 0}}}
    assert set(errors_of(forms["nightly"], answers)) == {"full/websocket/users"}


def test_no_parameter_may_hold_a_secret_address(forms, name):
    definitions = {**forms[name]["definitions"]}
    del definitions["NightbenchSubject"]  # of which a parameter holds the id
    fields = {field for each in definitions.values() for field in each.get("properties", {})}
    assert not fields & {"dsn", "database_dsn", "websocket_url", "token", "password"}


def test_the_subject_is_chosen_among_registered_ones(forms, name):
    chosen = forms[name]["properties"]["subject"]
    assert chosen["$ref"] == "#/definitions/NightbenchSubject"
    assert forms[name]["definitions"]["NightbenchSubject"]["block_type_slug"] == "nightbench-subject"
    id_ = "9f6e9c0e-52a4-4ba2-9d9c-6f2a4d3f1c11"
    assert errors_of(forms[name], {"subject": {"$ref": {"block_document_id": id_}}}) == {}


def test_a_subject_with_its_secrets_is_refused_before_it_is_stored_and_not_repeated(forms, name):
    found = errors_of(forms[name], {"subject": {"environment": "staging", "token": "hunter2-token"}})
    assert set(found) == {"subject"}
    assert "hunter2" not in str(found)


def test_the_form_hides_what_may_be_a_secret(forms, name):
    definitions = forms[name]["definitions"]
    headers = definitions["WebSocketChanges"]["properties"]["headers"]["additionalProperties"]
    template = definitions["TokenSource"]["properties"]["template"]
    subject = definitions["NightbenchSubject"]["properties"]
    hidden = (headers, template, subject["token"], subject["database_dsn"])
    assert [each["format"] for each in hidden] == ["password"] * 4


def test_a_plan_with_secrets_reaches_the_flow_and_prefect_stores_none(flows, name):
    changes = WebSocketChanges(headers={"X-Key": "hunter2"}, tokens={"template": "hunter2"})
    place = {"websocket": changes}
    parameters = {"full": TierChanges(**place)} if name == "nightly" else place
    stored = json.dumps(flows[name].serialize_parameters(parameters))
    assert "X-Key" in stored
    assert "hunter2" not in stored
    taken = flows[name].validate_parameters(parameters)
    websocket = taken["full"].websocket if name == "nightly" else taken["websocket"]
    assert websocket.headers["X-Key"].get_secret_value() == "hunter2"


def test_the_form_takes_what_users_bring(flows, forms, name):
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
    parameters = {"full": place} if name == "nightly" else place
    assert errors_of(forms[name], parameters) == {}
    taken = flows[name].validate_parameters(parameters)
    websocket = taken["full"].websocket if name == "nightly" else taken["websocket"]
    assert websocket.messages[0].body == changes["messages"][0]["body"]


def test_a_part_that_is_changed_by_one_field_keeps_the_others(forms):
    """A default that the form fills in would be sent as an answer."""
    for part in ("ReplyRules", "TlsOptions", "TierChanges"):
        fields = forms["nightly"]["definitions"][part]["properties"].values()
        assert not any("default" in field for field in fields)
