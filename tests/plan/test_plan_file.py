"""A plan file: both suites as YAML or TOML; what is neither, or no plan, is told with its line."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from nightbench.errors import ConfigurationError
from nightbench.plan import TierChanges, WebSocketChanges, changed
from nightbench.plan.file import read_plan_file
from nightbench.plan.yaml_text import read_yaml
from nightbench.tiers import TIERS

IN_YAML = """
websocket:
  users: 30
  rate_profile:
    - {at: 0, rate: 5}
    - {at: 30, rate: 50}
  messages:
    - name: ask
      weight: 3
      body: {type: chat, id: "${id}", message: "${prompt}"}
    - name: ping
      text: '{"type": "ping", "id": "${id}"}'
  reply:
    done: type == done
    expect: none
  headers: {X-Tenant: "${env:TENANT}"}
  tls: {verify: false}
  targets: ["message.response_time.p95 < 1500"]
database: {workers: 7}
"""

IN_TOML = """
[websocket]
users = 30
rate_profile = [{at = 0, rate = 5}, {at = 30, rate = 50}]
headers = {X-Tenant = "${env:TENANT}"}
targets = ["message.response_time.p95 < 1500"]

[[websocket.messages]]
name = "ask"
weight = 3
body = {type = "chat", id = "${id}", message = "${prompt}"}

[[websocket.messages]]
name = "ping"
text = '{"type": "ping", "id": "${id}"}'

[websocket.reply]
done = "type == done"
expect = "none"

[websocket.tls]
verify = false

[database]
workers = 7
"""


def test_yaml_and_toml_say_the_same(plan_file):
    in_yaml = read_plan_file(plan_file("it.yaml", IN_YAML)).changes
    in_toml = read_plan_file(plan_file("it.TOML", IN_TOML)).changes
    assert in_yaml == in_toml
    plan = changed(TIERS["full"].websocket, in_yaml.websocket)
    assert (plan.users, plan.duration, plan.tls.verify, plan.reply.expect) == (30, 300, False, None)
    assert [kind.name for kind in plan.messages] == ["ask", "ping"]
    assert in_yaml.database.workers == 7


def test_a_table_without_anything_changes_nothing(plan_file):
    assert read_plan_file(plan_file("it.yml", "websocket:\ndatabase: {}\n")).changes == TierChanges()


def test_plain_words_are_what_json_would_hold():
    text = "a: no\nb: 2026-01-31\nc: 1:30\nd: 1e3\ne: -0.5\nf: true\ng: ~\nh: 010\ni: 0x1F\nj: .inf\nk: '1'"
    assert read_yaml(text).data == {
        "a": "no",
        "b": "2026-01-31",
        "c": "1:30",
        "d": 1000.0,
        "e": -0.5,
        "f": True,
        "g": None,
        "h": 10,
        "i": "0x1F",
        "j": float("inf"),
        "k": "1",
    }


def test_what_is_the_same_in_two_messages_is_written_once(plan_file):
    text = """
websocket:
  messages:
    - &ask {name: ask, weight: 2, body: {id: "${id}"}}
    - {<<: *ask, name: again}
"""
    ask, again = read_plan_file(plan_file("it.yaml", text)).changes.websocket.messages
    assert (again.name, again.weight, again.body) == ("again", 2, ask.body)


@dataclass
class Bad:
    """A plan file that cannot be used, and what its error has to say."""

    content: str | bytes
    says: list[str]
    name: str = "it.yaml"


BAD = {
    "empty": Bad("", ["--plan = 'it.yaml'", "is empty", "websocket:", "database:"]),
    "comments alone": Bad("# soon\n", ["--plan = 'it.yaml'", "is empty"]),
    "list at the top": Bad("- 1\n", ["--plan = 'it.yaml'", "is no table", "websocket:"]),
    "word at the top": Bad("users\n", ["--plan = 'it.yaml'", "is no table"]),
    "another encoding": Bad(b"websocket: {message: '\xff'}", ["--plan = 'it.yaml'", "is not UTF-8"]),
    "another kind": Bad("{}", ["--plan = 'it.json'", "neither YAML nor TOML", ".yaml"], "it.json"),
    "large": Bad("#" * (16 * 1024**2 + 1), ["--plan = 'it.yaml'", "is larger than 16 MiB"]),
    "key twice": Bad(
        "websocket:\n  users: 3\n  users: 4\n", ["it.yaml, line 3: websocket.users: is there twice"]
    ),
    "key that is no text": Bad(
        "websocket:\n  1: 2", ["it.yaml, line 2: websocket: a name must be text: write '1' in quotes"]
    ),
    "key that is a list": Bad("? [a]\n: 1", ["it.yaml, line 1: a name must be text"]),
    "no YAML": Bad("websocket: [", ["it.yaml, line 1: is no YAML"]),
    "tabulator": Bad("websocket:\n\tusers: 3", ["it.yaml, line 2: is no YAML"]),
    "control character": Bad("websocket: \x01", ["it.yaml: is no YAML", "unacceptable character"]),
    "two documents": Bad(
        "websocket: {}\n---\ndatabase: {}", ["it.yaml, line 2: is no YAML", "single document"]
    ),
    "tag of Python": Bad(
        "websocket:\n  users: !!python/object/apply:os.system ['true']", ["it.yaml, line 2: is no YAML"]
    ),
    "alias of itself": Bad("websocket: &a\n  messages: [*a]", ["refers to itself"]),
    "laughing aliases": Bad(
        "\n".join(
            ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
            + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
        ),
        ["it.yaml, line 6: a5: holds more than 1,000,000 values"],
    ),
    "deep": Bad("[" * 5000, ["it.yaml: is too deep"]),
    "number of too many digits": Bad(f"websocket: {{seed: {'9' * 6000}}}", ["too many digits"]),
    "no TOML": Bad("[websocket", ["it.toml, line 1: is no TOML"], "it.toml"),
    "key twice in TOML": Bad("[websocket]\nusers = 1\nusers = 2", ["it.toml, line 3: is no TOML"], "it.toml"),
    "deep TOML": Bad("x = " + "[" * 5000, ["it.toml: is too deep"], "it.toml"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_plan_is_told_with_file_and_line(case, refused):
    bad = BAD[case]
    refused(bad.name, bad.content, bad.says)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("no.yaml", "cannot be read: no such file or directory$"),
        ("folder.yaml", "a folder and not a file"),
        ("~nosuchuser/it.yaml", "cannot be read"),
        ("zero.yaml", "it is a device and not a file"),
        ("pipe.yaml", "it is a pipe and not a file"),
    ],
)
def test_a_file_that_is_none_is_told(name, problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder.yaml").mkdir()
    Path("zero.yaml").symlink_to("/dev/zero")
    os.mkfifo("pipe.yaml")
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read_plan_file(Path(name))
    assert "--plan" in str(caught.value)


def test_every_field_of_a_plan_may_stand_in_a_file(plan_file):
    default = TIERS["full"].websocket
    for name in WebSocketChanges.model_fields:
        if name in ("greeting", "rate_profile", "messages", "data", "tokens", "rate", "ramp"):
            continue  # whose defaults say nothing; they are in the examples
        value = default.model_dump(mode="json")[name]
        path = plan_file("it.yaml", f"websocket: {{{name}: {_as_yaml(value)}}}")
        assert getattr(read_plan_file(path).changes.websocket, name) is not None, name


def _as_yaml(value):
    import json

    return json.dumps(value)
