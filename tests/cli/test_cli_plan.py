"""What users bring, as flags and as a plan file: it arrives in the plan that is run."""

import sys
from pathlib import Path

import pytest

from nightbench.cli import run_command
from nightbench.errors import ExitCode
from nightbench.plan import TierChanges

PLAN = """
websocket:
  users: 30
  duration: 50
  messages: [{name: ask, body: {id: "${id}"}}]
  reply: {match: order, done: type == end}
database: {workers: 7}
"""


@pytest.fixture
def planned(clean_settings, monkeypatch, capsys):
    """Run a command up to where the load would begin: the plan that it would be."""
    plans = []
    Path("it.yaml").write_text(PLAN)

    def keep_suite(_suite, _settings, plan, *, json):
        plans.append(plan)
        return ExitCode.MET

    class RunAwayError(Exception):
        pass

    def keep_run(tier, settings, *, quick, changes: TierChanges, **_):
        plans.append(settings.tier(tier, changes, quick=quick))
        raise RunAwayError

    monkeypatch.setattr("nightbench.cli.suite.run_suite", keep_suite)
    monkeypatch.setattr(sys.modules["nightbench.cli.run"], "_engine", lambda: keep_run)

    def run(*arguments):
        run_command(arguments)
        err = capsys.readouterr().err
        assert plans, err
        return plans.pop()

    return run


# flags of `nightbench websocket`, and what they make of a field of the plan
FLAGS = {
    "arrivals": (["--arrivals", "poisson"], lambda plan: plan.arrivals == "poisson"),
    "pacing": (["--pacing", "2.5"], lambda plan: plan.pacing == 2.5),
    "ramp": (["--ramp-shape", "steps", "--ramp-steps", "3"], lambda plan: plan.ramp_steps == 3),
    "shards": (["--shards", "2"], lambda plan: plan.shards == 2),
    "message": (["--message", "a ${b}"], lambda plan: plan.message == "a ${b}"),
    "data": (["--data", "it.csv", "--data-order", "random"], lambda plan: plan.data == "it.csv"),
    "match": (["--reply.match", "order"], lambda plan: plan.reply.match == "order"),
    "done": (["--reply.done", "a.b != 1"], lambda plan: str(plan.reply.done) == "a.b != 1"),
    "never done": (["--reply.done", "none"], lambda plan: plan.reply.done is None),
    "raw": (
        ["--reply.match", "order", "--reply.format", "raw", "--reply.done", "none", "--reply.error", "none"],
        lambda plan: plan.reply.format == "raw",
    ),
    "headers": (
        ["--header", "X-A: b: c", "--header", "X-D:e"],
        lambda plan: (
            {k: v.get_secret_value() for k, v in plan.headers.items()} == {"X-A": "b: c", "X-D": "e"}
        ),
    ),
    "template": (
        ["--tokens.template", "t-${user}"],
        lambda plan: plan.tokens.template.get_secret_value() == "t-${user}",
    ),
    "tokens": (["--tokens.file", "t.txt"], lambda plan: plan.tokens.file == "t.txt"),
    "subprotocols": (
        ["--subprotocol", "chat", "--subprotocol", "v2"],
        lambda plan: plan.subprotocols == ("chat", "v2"),
    ),
    "compression": (["--compression"], lambda plan: plan.compression is True),
    "TLS": (
        ["--tls.no-verify", "--tls.ca-file", "ca.pem"],
        lambda plan: (plan.tls.verify, plan.tls.ca_file) == (False, "ca.pem"),
    ),
    "reconnect": (["--no-reconnect"], lambda plan: plan.reconnect is False),
    "target": (
        ["--target", "message.throughput > 1", "--target", "message.stray == 0"],
        lambda plan: len(plan.targets) == 2,
    ),
}


@pytest.mark.parametrize("case", FLAGS)
def test_a_flag_is_a_field_of_the_plan(case, planned):
    arguments, is_there = FLAGS[case]
    assert is_there(planned("websocket", *arguments).websocket)


def test_a_plan_file_is_the_plan_and_flags_win_over_it_field_by_field(planned):
    plan = planned("websocket", "--tier", "full", "--plan", "it.yaml", "--users", "4", "--reply.done", "none")
    assert (plan.websocket.users, plan.websocket.duration) == (4, 50)
    assert (plan.websocket.reply.match, plan.websocket.reply.done) == ("order", None)
    assert plan.websocket.messages[0].name == "ask"


def test_a_plan_file_is_for_both_suites(planned):
    assert planned("database", "--plan", "it.yaml").database.workers == 7


def test_a_plan_file_is_for_a_run_too(planned):
    plan = planned("run", "full", "--plan", "it.yaml", "--quick", "--websocket.tls.no-verify")
    assert (plan.websocket.users, plan.websocket.duration, plan.database.workers) == (30, 8, 7)
    assert (plan.websocket.reply.match, plan.websocket.tls.verify) == ("order", False)


def test_how_often_a_run_repeats_its_suites_is_a_flag(planned):
    plan = planned("run", "full", "--blocks", "2", "--reruns", "0", "--quick", "--database.workers", "3")
    assert (plan.blocks, plan.reruns, plan.database.workers) == (2, 0, 3)


@pytest.mark.parametrize("command", ["websocket", "database", "run"])
def test_help_shows_no_flag_that_nobody_could_use(command, clean_settings, capsys):
    assert run_command([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "--plan" in out
    for nonsense in ("type-params", "RATEPOINT", "MESSAGEKIND", "--empty-", ".value.", "SECRETSTR"):
        assert nonsense not in out
