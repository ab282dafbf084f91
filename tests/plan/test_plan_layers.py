"""Where a field was set: the name by which an error or a warning speaks of it."""

from pathlib import Path

import pytest

from nightbench.errors import ConfigurationError
from nightbench.plan import Layer, TierChanges, WebSocketChanges
from nightbench.plan.fields import dotted
from nightbench.plan.file import read_plan_file
from nightbench.plan.layers import as_it_was_set, name_in, name_of_target
from nightbench.settings import load

# the plan file, and what the error has to say
DISAGREEING = {
    "rate and profile": (
        "websocket:\n  rate: 3\n  users: 9\n  rate_profile: [{at: 0, rate: 3}]",
        "it.yaml, line 2: websocket.rate and it.yaml, line 4: websocket.rate_profile: rate and rate_profile exclude",
    ),
    "shards and users": (
        "websocket:\n  users: 2\n  shards: 3",
        "it.yaml, line 3: websocket.shards and it.yaml, line 2: websocket.users: more shards than users: 3 > 2",
    ),
    "shards and the users of the tier": (
        "websocket:\n  shards: 101",
        "it.yaml, line 2: websocket.shards: more shards than users: 101 > 100; users as in tier full",
    ),
    "kind twice": (
        "websocket:\n  messages:\n  - {name: a, text: x}\n  - {name: b, text: x}\n  - {name: a, text: y}",
        "it.yaml, line 3: websocket.messages[0].name and it.yaml, line 5: websocket.messages[2].name: two kinds",
    ),
    "corners out of order": (
        "websocket:\n  rate_profile:\n  - {at: 3, rate: 1}\n  - at: 2\n    rate: 1",
        "it.yaml, line 4: websocket.rate_profile[1].at: the corners",
    ),
    "profile of nothing": (
        "websocket:\n  rate_profile: [{at: 3, rate: 0}]",
        "it.yaml, line 2: websocket.rate_profile: rate_profile is zero throughout",
    ),
    "raw and a condition": (
        "websocket:\n  reply:\n    format: raw\n    match: order\n    error: none\n    done: end exists",
        "it.yaml, line 3: websocket.reply.format and it.yaml, line 6: websocket.reply.done: format: raw needs",
    ),
    "predicate without match": (
        "websocket:\n  reply:\n    predicate: 'a:b'",
        "it.yaml, line 3: websocket.reply.predicate: match: predicate and a predicate go together; reply.match as",
    ),
    "key without its certificate": (
        "websocket:\n  tls:\n    key_file: it.pem",
        "it.yaml, line 3: websocket.tls.key_file: a key without its certificate",
    ),
}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", DISAGREEING)
def test_fields_of_a_plan_file_that_do_not_agree_are_told_with_file_and_lines(case):
    content, says = DISAGREEING[case]
    Path("it.yaml").write_text(content)
    settings = load().with_plan_file(read_plan_file(Path("it.yaml")))
    with pytest.raises(ConfigurationError) as caught:
        settings.tier("full")
    assert str(caught.value).startswith(says)


def test_fields_of_toml_are_told_with_their_lines_too():
    Path("it.toml").write_text("[websocket]\nusers = 2\n\nshards = 3")
    with pytest.raises(ConfigurationError, match=r"it.toml, line 4: websocket.shards and it.toml, line 2"):
        load().with_plan_file(read_plan_file(Path("it.toml"))).tier("full")


def test_what_does_not_agree_in_a_file_may_agree_with_the_settings():
    Path("nightbench.toml").write_text("[plan.full.websocket.tls]\ncertificate_file = 'it.pem'")
    Path("it.yaml").write_text("websocket: {tls: {key_file: key.pem}}")
    tls = load().with_plan_file(read_plan_file(Path("it.yaml"))).tier("full").websocket.tls
    assert (tls.certificate_file, tls.key_file) == ("it.pem", "key.pem")


def test_each_field_is_known_where_it_was_set_last(monkeypatch):
    Path("nightbench.toml").write_text(
        "[plan.full.websocket]\nusers = 3\nthink = 1\nreply = {match = 'order'}"
    )
    monkeypatch.setenv("NIGHTBENCH_PLAN__FULL__WEBSOCKET__PACING", "2")
    Path("it.yaml").write_text("websocket:\n  think: 2\n  headers: {X-A: b}\n  reply: {done: none}")
    asked = TierChanges(websocket=WebSocketChanges(users=4))
    layers = load().with_plan_file(read_plan_file(Path("it.yaml"))).layers("full", asked)
    known = {
        ("websocket", "users"): "parameter websocket.users",
        ("websocket", "think"): "it.yaml, line 2: websocket.think",
        ("websocket", "headers", "X-A"): "it.yaml, line 3: websocket.headers.X-A",
        ("websocket", "headers", "X-B"): None,
        ("websocket", "reply", "done"): "it.yaml, line 4: websocket.reply.done",
        ("websocket", "reply", "match"): "nightbench.toml: plan.full.websocket.reply.match",
        ("websocket", "reply", "error"): None,
        ("websocket", "pacing"): "NIGHTBENCH_PLAN__FULL__WEBSOCKET__PACING",
        ("database", "workers"): None,
    }
    assert {path: name_in(layers, path) for path in known} == known


def test_a_target_is_known_by_its_metric():
    below, above = (
        Layer(TierChanges(websocket=WebSocketChanges(targets=targets)), lambda path, at=at: at + dotted(path))
        for at, targets in (
            ("below ", ("message.stray < 1", "message.rate < 1")),
            ("above ", ("message.stray < 2",)),
        )
    )
    names = [name_of_target([below, above], "websocket", f"message.{it}") for it in ("stray", "rate", "x")]
    assert names == ["above websocket.targets[0]", "below websocket.targets[1]", None]


WORKLOAD = """database:
  workload:
    tenants_file: people.csv
    statements:
    - name: a
      kind: read
      sql: SELECT %(x)s
      parameters:
        x: {draw: file, file: it.csv,
            column: b}
"""


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("workload.tenants_file", "it.yaml, line 3: database.workload.tenants_file"),
        ("workload.statements[0].sql", "it.yaml, line 7: database.workload.statements[0].sql"),
        (
            "workload.statements[0].parameters.x.column",
            "it.yaml, line 10: database.workload.statements[0].parameters.x.column",
        ),
        ("workload.statements[0].max_rows", "it.yaml, line 5: database.workload.statements[0]"),
        ("workload.own_rows.insert", "it.yaml, line 2: database.workload"),
        ("--tenants", "--tenants"),
    ],
)
def test_what_the_server_has_against_a_workload_is_told_where_it_was_set(
    setting, name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("it.yaml").write_text(WORKLOAD)
    error = ConfigurationError(setting, "x", "is wrong", "mend it")
    layers = load().with_plan_file(read_plan_file(Path("it.yaml"))).layers("full")
    assert str(as_it_was_set(error, layers, "database")) == f"{name} = 'x': is wrong; mend it"


def test_what_was_set_nowhere_keeps_its_name():
    error = ConfigurationError("workload.statements[0].sql", "x", "is wrong")
    assert as_it_was_set(error, load().layers("full"), "database") is error
