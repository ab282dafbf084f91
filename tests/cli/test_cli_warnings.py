"""A field that was set in vain is told on stderr, once, and the run goes on."""

from pathlib import Path

import pytest

from nightbench.cli import run_command
from nightbench.errors import ExitCode


@pytest.fixture
def told(clean_settings, monkeypatch, capsys):
    """Run a command up to where the load would begin: what it said on stderr until then."""
    ran = []

    def run_suite(*_arguments, json):
        ran.append(json)
        return ExitCode.MET

    monkeypatch.setattr("nightbench.cli.suite.run_suite", run_suite)

    def run(*arguments):
        assert run_command(arguments) == ExitCode.MET
        assert ran
        out, err = capsys.readouterr()
        assert out == ""
        return err.splitlines()

    return run


def test_a_flag_in_vain_is_told_by_its_name(told):
    assert told(
        "websocket", "--think", "3", "--reply.match", "order", "--reply.id-path", "x", "--json", "-"
    ) == [
        "nightbench: warning: --think has no effect: the model is open",
        "nightbench: warning: --reply.id-path has no effect: reply.match is not id",
    ]


def test_a_line_of_a_plan_file_in_vain_is_told_by_file_and_line(told):
    Path("it.yaml").write_text("websocket:\n  data_order: random\ndatabase:\n  think: 3")
    assert told("websocket", "--plan", "it.yaml") == [
        "nightbench: warning: it.yaml, line 2: websocket.data_order has no effect: there is no data"
    ]
    assert told("database", "--plan", "it.yaml") == [
        "nightbench: warning: it.yaml, line 4: database.think has no effect: the model is open"
    ]


def test_nothing_is_said_of_what_nobody_set(told):
    assert told("websocket", "--model", "closed", "--tier", "full") == []
    assert told("database", "--rate", "3") == []
