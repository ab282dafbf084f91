from __future__ import annotations

import json
from importlib.metadata import entry_points

import pytest
from builders import with_metric
from staged import PASSWORD, TOKEN, raising

from nightbench.cli import run_command
from nightbench.errors import MeasurementError


@pytest.fixture(autouse=True)
def _elsewhere(api, stages, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTBENCH_CACHE", str(tmp_path / "cache"))


def test_the_engine_is_found_by_its_entry_point():
    (point,) = entry_points(group="nightbench.engine")
    assert point.load().__module__ == "flows.in_process.engine"


def test_the_summary_goes_to_stdout_and_progress_to_stderr(capsys):
    assert run_command(["run", "quick"]) == 0
    out, err = capsys.readouterr()
    assert "quick websocket" in out
    assert "1/60 s" in err
    assert "1/60 s" not in out


def test_json_is_all_there_is_on_stdout(stages, capsys):
    stages.of["quick websocket"] = raising(MeasurementError(f"token={TOKEN} at ws://pam:{PASSWORD}@host"))

    assert run_command(["run", "quick", "--json", "-"]) == 3

    out, err = capsys.readouterr()
    document = json.loads(out)
    keys = ["schema", "night_id", "release", "exit_code", "suites", "notes", "alerts"]
    assert list(document) == keys
    assert document["exit_code"] == 3
    assert [(suite["tier"], suite["suite"]) for suite in document["suites"]] == [("quick", "database")]
    assert document["notes"] == ["quick websocket: failed: token=*** at ws://pam:***@host"]
    assert document["alerts"]["undelivered"] == 1
    assert TOKEN not in out + err
    assert PASSWORD not in out + err


def test_json_goes_to_a_file_beside_the_summary(tmp_path, capsys):
    assert run_command(["run", "nightly", "--quick", "--json", "night.json"]) == 0
    assert len(json.loads((tmp_path / "night.json").read_text())["suites"]) == 6
    assert "stress database" in capsys.readouterr().out


def test_a_missed_target_is_exit_code_1(stages):
    stages.of["quick websocket"] = lambda measurement, _: with_metric(
        measurement, "message.response_time.p95", 2500.0
    )
    assert run_command(["run", "quick"]) == 1


def test_flags_change_the_plan(stages):
    arguments = ["--websocket.users", "7", "--database.workers", "3", "--quick"]
    promises = [
        "--websocket-target",
        "message.response_time.p95 < 1500",
        "--database-target",
        "pool.wait.p95 < 9",
    ]

    assert run_command(["run", "quick", *arguments, *promises]) == 0

    assert stages.plans["quick websocket"].users == 7
    assert stages.plans["quick websocket"].duration == 8
    assert stages.plans["quick database"].workers == 3
    assert [str(target) for target in stages.plans["quick websocket"].targets] == [
        "message.response_time.p95 < 1500"
    ]
    assert [str(target) for target in stages.plans["quick database"].targets] == ["pool.wait.p95 < 9"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nope"], "'nope'"),
        (["quick", "--websocket.users", "0"], "--websocket.users = '0'"),
        (["quick", "--websocket.users", "many"], "--websocket.users = "),
        (["quick", "--database.rate", "-1"], "--database.rate = "),
        (["quick", "--websocket-target", "fast"], "--websocket-target"),
        (
            ["quick", "--websocket-target", "messages.p95 < 9"],
            "connection, reconnection, greeting, message, message[KIND], generator",
        ),
        (["quick", "--url", "http://host"], "--url"),
        (["quick", "--dsn", "mysql://a:hunter2-password@h/d"], "--dsn"),
        (["quick", "--json", "no/such/folder/file"], "--json"),
        (["quick", "--results", "file"], "results"),
        ([], "TIER"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(stages, tmp_path, capsys, arguments, named):
    (tmp_path / "file").touch()

    assert run_command(["run", *arguments]) == 2

    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert named in err
    assert PASSWORD not in err
    assert stages.steps == []


def test_what_has_no_effect_is_told_once_a_night_by_the_name_of_its_flag(stages, capsys):
    assert run_command(["run", "nightly", "--quick", "--websocket.think", "3"]) == 0
    err = capsys.readouterr().err
    assert err.count("warning: --websocket.think has no effect: the model is open") == 1
    assert err.count("has no effect") == 1
