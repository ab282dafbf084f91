"""``nightbench doctor``: exit codes, the document, and lines that fit a terminal."""

from __future__ import annotations

import json
import socket

import pytest

from nightbench.cli import run_command
from nightbench.doctor import checks
from nightbench.doctor.examination import Check
from nightbench.doctor.finding import Topic

ONE = Topic("alerts", "one")
OK = ONE.ok("well")
WARNING = ONE.warning("a [bold]word[/bold] – " + "long " * 40, "nightbench alerts flush")
FAILURE = ONE.failure("postgresql://me:hunter2@host/db is gone", "start it")


@pytest.fixture
def finding(clean_settings, monkeypatch):
    """Let the area alerts find what a test says."""

    def found(*findings):
        monkeypatch.setattr(checks, "_of_alerts", lambda _settings: [Check(ONE, lambda: findings)])

    return found


@pytest.mark.parametrize(
    ("found", "flags", "code"),
    [
        ([OK], [], 0),
        ([OK, WARNING], [], 0),
        ([OK, WARNING], ["--strict"], 1),
        ([OK], ["--strict"], 0),
        ([WARNING, FAILURE], [], 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst(finding, capsys, found, flags, code):
    finding(*found)
    assert run_command(["doctor", "--only", "alerts", *flags]) == code


def test_the_document_holds_every_finding_and_the_worst(finding, capsys):
    finding(OK, FAILURE)
    assert run_command(["doctor", "--only", "alerts", "--json", "-"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert document["worst"] == "failure"
    assert [each["state"] for each in document["findings"]] == ["ok", "failure"]
    assert set(document["findings"][0]) == {"area", "name", "state", "why", "mend"}
    assert "hunter2" not in str(document)


def test_lines_fit_a_terminal_and_the_mend_has_one_of_its_own(finding, capsys):
    finding(OK, WARNING, FAILURE)
    run_command(["doctor", "--only", "alerts"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "alerts"
    assert "       -> nightbench alerts flush" in lines
    assert lines[-1] == "1 ok, 1 warning, 1 failure"
    assert "[bold]" in "".join(lines)
    assert "hunter2" not in "".join(lines)


def test_a_closed_port_is_a_failure_with_the_way_out(clean_settings, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    url, dsn = f"ws://127.0.0.1:{port}/chat", f"postgresql://me:hunter2@127.0.0.1:{port}/db"
    assert run_command(["doctor", "--only", "subject", "--url", url, "--dsn", dsn, "--json", "-"]) == 1
    out, _ = capsys.readouterr()
    states = {each["name"]: each["state"] for each in json.loads(out)["findings"]}
    assert states == {"WebSocket": "failure", "PostgreSQL": "failure"}
    assert "hunter2" not in out


def test_an_embedded_suite_is_one_without_an_address_whatever_names_it(clean_settings, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        dsn = f"postgresql://me@127.0.0.1:{listening.getsockname()[1]}/db"
    run_command(["doctor", "--only", "subject", "--dsn", dsn, "--json", "-"])
    why = {each["name"]: each["why"] for each in json.loads(capsys.readouterr().out)["findings"]}
    assert list(why) == ["PostgreSQL", "embedded PostgreSQL", "embedded backend"]
    assert "DSN" not in why["embedded PostgreSQL"] + why["embedded backend"]


def test_the_folder_of_nightbench_serve_is_named_and_can_be_another(clean_settings, tmp_path, capsys):
    assert (
        run_command(["doctor", "--only", "prefect", "--data", str(tmp_path / "served"), "--json", "-"]) == 0
    )
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert f"no nightbench serve runs in {tmp_path / 'served'}; --data names another" in finding["why"]


def test_without_anything_set_the_embedded_default_is_well(clean_settings, capsys):
    assert run_command(["doctor", "--json", "-"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {each["area"] for each in findings} == {"subject", "host", "results", "prefect", "alerts"}
    assert {each["state"] for each in findings if each["area"] in {"subject", "prefect"}} == {"ok"}


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--only", "weather"], "--only"),
        (["--url", "http://x"], "--url"),
        (["--json", "nowhere/x.json"], "--json"),
    ],
)
def test_wrong_use_is_told(clean_settings, capsys, arguments, name):
    assert run_command(["doctor", *arguments]) == 2
    assert name in capsys.readouterr().err
