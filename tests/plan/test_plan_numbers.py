"""Numbers of a plan: as text they may come from a variable; true and false are none."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from nightbench.cli import run_command
from nightbench.plan import (
    DatabaseChanges,
    DatabasePlan,
    MessageKind,
    RatePoint,
    ReplyRules,
    TierChanges,
    TlsOptions,
    TokenSource,
    WebSocketChanges,
    WebSocketPlan,
)
from nightbench.plan.parameters import ParameterDraw
from nightbench.plan.workload import OwnRows, PolicyCost, StatementPlan, WorkloadPlan, WrittenTable
from nightbench.settings import load
from nightbench.target import Target

MODELS = (
    DatabaseChanges,
    DatabasePlan,
    MessageKind,
    OwnRows,
    ParameterDraw,
    PolicyCost,
    RatePoint,
    ReplyRules,
    StatementPlan,
    Target,
    TlsOptions,
    TokenSource,
    WebSocketChanges,
    WebSocketPlan,
    WorkloadPlan,
    WrittenTable,
)
FIELDS = [(model, name) for model in MODELS for name in model.model_fields]

COMMAND = ["websocket", "--url", "ws://127.0.0.1:9/"]
"""Nothing listens there, should it come to a run."""

# arguments, environment, files by name, and what the line has to name
CASES = {
    "plan file in YAML": (
        [*COMMAND, "--plan", "it.yaml"],
        {},
        {"it.yaml": "websocket:\n  users: true\n"},
        "it.yaml, line 2: websocket.users = 'True'",
    ),
    "plan file in TOML": (
        [*COMMAND, "--plan", "it.toml"],
        {},
        {"it.toml": "[database]\nworkers = true\n"},
        "it.toml, line 2: database.workers = 'True'",
    ),
    "corner of a rate profile": (
        [*COMMAND, "--plan", "it.yaml"],
        {},
        {"it.yaml": "websocket:\n  rate_profile:\n    - {at: false, rate: 5}\n"},
        "it.yaml, line 3: websocket.rate_profile[0].at = 'False'",
    ),
    "number of a statement": (
        ["database", "--plan", "it.yaml"],
        {},
        {
            "it.yaml": "database:\n  workload:\n    statements:\n"
            "    - {name: a, kind: read, sql: SELECT 1,\n       weight: true}\n"
        },
        "it.yaml, line 5: database.workload.statements[0].weight = 'True'",
    ),
    "settings file": (
        COMMAND,
        {},
        {"nightbench.toml": "[plan.quick.websocket]\nusers = true"},
        "plan.quick.websocket.users = 'True'",
    ),
    "variable that holds a table": (
        COMMAND,
        {"NIGHTBENCH_PLAN__QUICK__WEBSOCKET": json.dumps({"users": True})},
        {},
        "NIGHTBENCH_PLAN__QUICK__WEBSOCKET: users = 'True'",
    ),
}


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("NIGHTBENCH_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("NIGHTBENCH_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("case", CASES)
def test_true_for_a_number_is_one_line_and_code_2(case, capsys, monkeypatch):
    arguments, environment, files, named = CASES[case]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    for name, text in files.items():
        Path(name).write_text(text)
    assert run_command(arguments) == 2
    err = capsys.readouterr().err
    assert named in err
    assert "a number is due, not true or false" in err
    assert err.count("\n") == 1


def test_true_for_a_number_is_refused_in_the_parameters_of_a_flow():
    with pytest.raises(ValidationError, match="a number is due, not true or false"):
        TierChanges.model_validate_json('{"database": {"rate": true}}')


def test_a_number_in_a_variable_is_text_and_taken(monkeypatch):
    monkeypatch.setenv("NIGHTBENCH_PLAN__QUICK__WEBSOCKET__USERS", "3")
    monkeypatch.setenv("NIGHTBENCH_PLAN__QUICK__WEBSOCKET__DURATION", "2.5")
    monkeypatch.setenv("NIGHTBENCH_PLAN__QUICK__WEBSOCKET__RECONNECT", "false")
    plan = load().tier("quick").websocket
    assert (plan.users, plan.duration, plan.reconnect) == (3, 2.5, False)


@given(field=st.sampled_from(FIELDS), value=st.booleans())
def test_no_field_makes_a_number_of_true_or_false(field: tuple[type[BaseModel], str], value: bool):
    model, name = field
    try:
        made = model.model_validate({**_needed(model), name: value})
    except ValidationError:
        return
    assert type(getattr(made, name)) not in (int, float)


def _needed(model: type[BaseModel]) -> dict[str, object]:
    """What else makes it whole."""
    return {
        WebSocketPlan: {"users": 1, "duration": 1},
        DatabasePlan: {"queries": 1, "workers": 1},
        RatePoint: {"at": 0, "rate": 1},
        MessageKind: {"name": "a", "text": "b"},
        OwnRows: {"tables": [{"table": "a", "tag_column": "b"}]},
        ParameterDraw: {"draw": "uniform", "high": 1},
        PolicyCost: {"role": "a", "sql": "SELECT 1"},
        StatementPlan: {"name": "a", "kind": "read", "sql": "SELECT 1"},
        WorkloadPlan: {"statements": [{"name": "a", "kind": "read", "sql": "SELECT 1"}]},
        WrittenTable: {"table": "a", "tag_column": "b"},
        Target: {"metric": "query.throughput", "op": ">", "limit": 1},
    }.get(model, {})
