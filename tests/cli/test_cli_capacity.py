"""``nightbench capacity``: a search without Prefect, what it keeps and what it says."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from builders import database_measurement, invalidated, websocket_measurement, with_metric

from nightbench.calibration import HostCalibration
from nightbench.cli import run_command
from nightbench.errors import ConfigurationError, MeasurementError, NotBegunError
from nightbench.history.store import HistoryStore
from nightbench.report.charts import drawing
from nightbench.settings import Settings
from nightbench.slots.slot import slots
from nightbench.subject import Subject

SEARCH = ("--start", "20", "--highest", "100")


class Staged:
    """A subject that keeps up to 70 users, or queries/s; what comes instead can be staged by the number of a step."""

    def __init__(self):
        self.knee = 70.0
        self.of = {}
        self.loads = []

    async def websocket(self, plan, _subject, label, *, on_progress, stop, **_of_the_night):
        run = websocket_measurement(plan=plan, users=plan.users, **self._label(label))
        run = with_metric(run, "message.response_time.p95", 50.0 if plan.users <= self.knee else 3_000.0)
        return await self._staged(run, plan.users, label, stop)

    async def database(self, plan, _subject, label, *, on_progress, stop, **_of_the_night):
        run = database_measurement(plan=plan, **self._label(label))
        run = with_metric(run, "query.response_time.p95", 5.0 if plan.rate <= self.knee else 300.0)
        return await self._staged(run, plan.rate, label, stop)

    def _label(self, label):
        return {
            "number": len(self.loads),
            "tier": label.tier,
            "night_id": label.night_id,
            "role": label.role,
            "block": label.block,
        }

    async def _staged(self, run, load, label, stop):
        self.loads.append(load)
        stage = self.of.get(label.block)
        return run if stage is None else await stage(run, stop)


@pytest.fixture
def staged(clean_settings, monkeypatch):
    subject = Staged()

    @asynccontextmanager
    async def provided(*_args, **_kwargs):
        yield Subject()

    monkeypatch.setattr("nightbench.night.provide", provided)
    monkeypatch.setattr("nightbench.night.calibrate_host", lambda _folder: HostCalibration())
    monkeypatch.setattr("nightbench.websocket.load_test.run", subject.websocket)
    monkeypatch.setattr("nightbench.database.stress_test.run", subject.database)
    return subject


@pytest.fixture
def answered(staged, capsys):
    """Run the command with ``--json -``; gives its exit code, its document and what it told."""

    def run(*arguments, suite="websocket"):
        code = run_command(["capacity", suite, *SEARCH, *arguments, "--json", "-"])
        out, err = capsys.readouterr()
        return code, json.loads(out), err

    return run


@pytest.mark.parametrize(("suite", "unit"), [("websocket", "users"), ("database", "queries/s")])
def test_the_highest_load_is_found_and_told(answered, suite, unit):
    code, document, err = answered(suite=suite)
    assert code == 0
    assert (document["suite"], document["tier"], document["unit"]) == (suite, "full", unit)
    assert document["answer"]["confirmed"]
    assert 67 <= document["answer"]["load"] <= 70 < document["answer"]["below"] <= 74
    assert f"{suite}: 20 {unit} (step up): met, in 0 s" in err


def test_each_step_is_kept_and_is_part_of_no_baseline(answered):
    _, document, _ = answered()
    store = HistoryStore("results")
    kept = store.runs()
    assert set(kept["role"]) == {"capacity"}
    assert set(kept["run_id"]) == {step["run_id"] for step in document["steps"]}
    assert len(store.nights("local")) == 0


def test_the_terminal_has_a_row_for_each_load(staged, capsys):
    assert run_command(["capacity", "websocket", *SEARCH]) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "users kept the targets" in out
    assert out.count(" of ") >= len(set(staged.loads))
    assert "results" in out


def test_a_target_of_the_command_line_is_kept_too(staged, answered):
    code, document, _ = answered("--target", "message.response_time.p95 < 10")
    assert (code, document["answer"]["load"], document["answer"]["below"]) == (1, None, 2)


async def leaking(run, _stop):
    return with_metric(run, "query.leaked_rows", 1.0)


async def saturated(run, _stop):
    return invalidated(run, "the generator was saturated")


async def interrupted(run, stop):
    os.kill(os.getpid(), signal.SIGINT)
    await stop.wait()
    return invalidated(run, "incomplete after 1.0 s: interrupted", complete=False)


async def broken(_run, _stop):
    raise MeasurementError("the load generator gave no result")


@pytest.mark.parametrize(
    ("knee", "stages", "code", "load", "below"),
    [
        (0.0, {}, 1, None, 2),
        (1e9, {}, 0, 100, None),
        (70.0, dict.fromkeys(range(1, 40), saturated), 3, None, None),
        (70.0, {1: broken}, 0, 68, 71),
        (70.0, {4: interrupted}, 3, 40, 80),
        (70.0, {1: interrupted}, 3, None, None),
    ],
    ids=["none is kept", "each is", "never valid", "one step broke", "interrupted", "at once"],
)
def test_what_came_of_it_is_the_exit_code(answered, staged, knee, stages, code, load, below):  # noqa: PLR0917
    staged.knee, staged.of = knee, stages
    got, document, _ = answered()
    assert (got, document["answer"]["load"], document["answer"]["below"]) == (code, load, below)


def test_a_row_of_another_tenant_fails_it_whatever_else_was_found(answered, staged):
    staged.of = {1: leaking}
    code, document, _ = answered(suite="database")
    assert code == 1
    assert document["answer"]["load"] is not None


def test_an_interruption_tells_what_is_known_and_keeps_what_was_measured(staged, capsys):
    staged.of = {4: interrupted}
    assert run_command(["capacity", "websocket", *SEARCH]) == 3
    out, err = capsys.readouterr()
    told = " ".join(out.split())
    assert "40 users kept the targets, 80 did not" in told
    assert "interrupted" in told
    assert "stopping early" in err
    assert len(HistoryStore("results").runs()) == 4


def test_interrupted_before_the_first_load_began_it_has_a_code_of_its_own(staged, capsys):
    async def not_begun(_run, stop):
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait()
        raise NotBegunError

    staged.of = {1: not_begun}
    assert run_command(["capacity", "websocket", *SEARCH]) == 130
    assert "nothing was measured" in capsys.readouterr().err


def test_a_subject_that_is_not_there_is_a_wrong_setting(staged, capsys):
    async def nowhere(_run, _stop):
        raise ConfigurationError("--url", "x", "nothing answers there")

    staged.of = {1: nowhere}
    assert run_command(["capacity", "websocket", *SEARCH]) == 2
    assert capsys.readouterr().err.count("nothing answers there") == 1


def test_a_step_that_cannot_be_stored_makes_a_pass_none(answered, monkeypatch):
    def full(*_args, **_kwargs):
        raise MeasurementError("no space left on device")

    monkeypatch.setattr(HistoryStore, "save", full)
    code, document, _ = answered()
    assert code == 3
    assert document["answer"]["confirmed"]
    assert "no space left on device" in document["notes"][0]


def test_the_knee_is_a_chart(staged, capsys):
    assert run_command(["capacity", "websocket", *SEARCH, "--chart", "knee.svg", "--json", "it.json"]) == 0
    places = capsys.readouterr().out.partition("Where everything lies")[2]
    assert "knee.svg" in places
    assert "it.json" in places
    svg = Path("knee.svg").read_text()
    assert svg.startswith("<svg")
    assert "P95 response time (ms)" in svg


def test_a_chart_that_cannot_be_drawn_is_told_and_a_pass_is_none(staged, capsys, monkeypatch):
    def fails(*_args, **_kwargs):
        raise drawing.UndrawnError("a chart could not be drawn: it ended with -9")

    monkeypatch.setattr(drawing, "svg", fails)
    assert run_command(["capacity", "websocket", *SEARCH, "--chart", "knee.svg"]) == 3
    out, err = capsys.readouterr()
    assert "it ended with -9" in err
    assert "knee.svg" not in out


def test_only_one_of_two_searches_loads_a_subject(staged, capsys, monkeypatch):
    async def beside():
        async with slots(
            Settings(), ["websocket"], "another", stop=asyncio.Event(), on_note=lambda _text: None
        ):
            return await asyncio.to_thread(run_command, ["capacity", "websocket", *SEARCH, "--wait", "0"])

    assert asyncio.run(beside()) == 3
    assert staged.loads == []


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("--start 0", ["--start", "'0'", "greater than or equal to 1"]),
        ("--start 60000", ["--start", "less than or equal to 50000"]),
        ("--start many", ["--start", "many"]),
        ("--start 200 --highest 100", ["--start = 200", "above the highest load, 100"]),
        ("--start 5 --seconds 4", ["--start = 5", "too few operations in 4 s", "begin with at least 11"]),
        (
            "--start 40 --seconds 4 --target message.response_time.p99<9",
            ["--start = 40", "begin with at least 55"],
        ),
        ("--seconds 0.5", ["--seconds", "0.5"]),
        ("--precision 0", ["--precision"]),
        ("--precision 51", ["--precision", "less than or equal to 50"]),
        ("--minutes 0", ["--minutes"]),
        ("--minutes nan", ["--minutes"]),
        ("--tier huge", ["--tier", "huge"]),
        ("--target nonsense", ["--target", "nonsense", "METRIC OP LIMIT"]),
        ("--target message.nothing.p95<5", ["--target", "message.nothing.p95"]),
        ("--plan missing.toml", ["--plan", "missing.toml"]),
        ("--chart knee.pdf", ["--chart", "knee.pdf", ".svg, .png or .html"]),
        ("--chart knee", ["--chart", "no ending of a chart"]),
        ("--chart nowhere/knee.svg", ["--chart", "there is no folder nowhere"]),
        ("--json nowhere/it.json", ["--json", "there is no folder nowhere"]),
        ("--results taken", ["results", "taken"]),
        ("--url http://127.0.0.1/", ["--url", "http"]),
        ("--header hunter2", ["--header"]),
    ],
)
def test_what_is_wrong_is_named_before_anything_runs(refused, arguments, names):
    refused(f"capacity websocket {arguments}", {}, None, names)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("--highest 50000 --seconds 3600", ["--highest = 50000", "database.queries", "100000000"]),
        ("--dsn mysql://127.0.0.1/x", ["--dsn", "mysql"]),
        ("--url ws://127.0.0.1/chat", ["--url"]),
    ],
)
def test_what_is_wrong_for_a_database_is_named_too(refused, arguments, names):
    refused(f"capacity database {arguments}", {}, None, names)
