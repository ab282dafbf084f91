"""``nightbench calibrate``: the same build several times, what it keeps and what it says."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from builders import database_measurement, invalidated, websocket_measurement

from nightbench.calibration import HostCalibration
from nightbench.cli import run_command
from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.history.store import HistoryStore
from nightbench.night import Night
from nightbench.same_build import _noise
from nightbench.settings import Settings
from nightbench.subject import Subject

NOISE = 0.03
STEPS = (0.3, -1.6, 0.6, 1.1, -0.4, -0.9, 1.8, -0.1, 0.0, -1.1)  # of mean 0 and standard deviation 1


class Build:
    """A build whose runs differ by `NOISE`; what comes instead of a good run can be staged by its number."""

    def __init__(self):
        self.labels = []
        self.of = {}

    async def websocket(self, plan, _subject, label, *, on_progress, stop, **_of_the_night):
        return await self._run(websocket_measurement, "websocket", label, stop)

    async def database(self, plan, _subject, label, *, on_progress, stop, **_of_the_night):
        return await self._run(database_measurement, "database", label, stop)

    async def _run(self, build, suite, label, stop):
        self.labels.append(f"{label.role} {suite} {label.block}")
        measurement = build(
            number=len(self.labels),
            tier=label.tier,
            night_id=label.night_id,
            role=label.role,
            block=label.block,
            median_ms=20 * (1 + NOISE * STEPS[label.block % len(STEPS)]),
        )
        stage = self.of.get((suite, label.block))
        return measurement if stage is None else await stage(measurement, stop)


@pytest.fixture
def build(clean_settings, monkeypatch):
    staged = Build()

    @asynccontextmanager
    async def subject(*_args, **_kwargs):
        yield Subject()

    monkeypatch.setattr("nightbench.night.provide", subject)
    monkeypatch.setattr("nightbench.night.calibrate_host", lambda _folder: HostCalibration())
    monkeypatch.setattr("nightbench.websocket.load_test.run", staged.websocket)
    monkeypatch.setattr("nightbench.database.stress_test.run", staged.database)
    return staged


def noise(suite: str) -> pd.DataFrame:
    return HistoryStore("results").noise("local", suite=suite, tier="quick").set_index("metric")


def test_the_suites_take_turns_as_often_as_is_asked_for(build):
    assert run_command(["calibrate", "--runs", "2"]) == 0
    assert build.labels == [
        "calibration websocket 1",
        "calibration database 1",
        "calibration websocket 2",
        "calibration database 2",
    ]


def test_its_noise_is_stored_and_its_runs_are_part_of_no_baseline(build):
    assert run_command(["calibrate", "--runs", "10", "--suite", "websocket"]) == 0
    found = noise("websocket").loc["message.response_time.p95"]
    assert found["runs"] == 10
    assert found["between_sd"] / found["mean"] == pytest.approx(NOISE, rel=0.1)
    assert 0 < found["within_sd"] < found["mean"]
    store = HistoryStore("results")
    assert len(store.nights("local")) == 0
    assert store.nights("local", roles=("calibration",))["run_id"].nunique() == 10


def test_it_says_what_each_metric_varies_by_and_what_one_night_can_show(build, capsys):
    assert run_command(["calibrate", "--runs", "10", "--suite", "websocket", "--json", "it.json"]) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "quick websocket, 10 runs" in out
    rows = {row["metric"]: row for row in json.loads(Path("it.json").read_text())["noise"]}
    row = rows["message.response_time.p95"]
    assert f"{100 * row['between_sd'] / row['mean']:.1f} %" in out
    assert f"{100 * row['detectable']:.1f} %" in out
    assert 3 * NOISE < row["detectable"] < 8 * NOISE
    assert rows["generator.cpu_seconds"]["gates"] is False
    assert "generator.cpu_seconds" not in out


def test_an_invalid_run_does_not_count_and_is_told(build, capsys):
    async def saturated(measurement, _stop):
        return invalidated(replace(measurement, metrics=()), "the generator was saturated")

    build.of["websocket", 2] = saturated
    assert run_command(["calibrate", "--runs", "3", "--suite", "websocket"]) == 3
    assert noise("websocket").loc["message.response_time.p95", "runs"] == 2
    assert "run 2 does not count: the generator was" in " ".join(capsys.readouterr().out.split())


def test_an_interruption_keeps_what_there_is(build, capsys):
    async def interrupted(measurement, stop):
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait()
        return invalidated(measurement, "incomplete", complete=False)

    build.of["websocket", 3] = interrupted
    assert run_command(["calibrate", "--runs", "5", "--suite", "websocket"]) == 3
    assert noise("websocket").loc["message.response_time.p95", "runs"] == 2
    assert "runs 4 and 5 of 5 not run: interrupted" in " ".join(capsys.readouterr().out.split())


def test_that_the_noise_is_worked_out_is_told_before_it_takes_its_time(build, capsys, monkeypatch):
    told = []

    def slow(_windows):
        told.append(capsys.readouterr().err)
        return {}

    monkeypatch.setattr("nightbench.verdict.sets.noise._of_windows", slow)
    monkeypatch.setattr("nightbench.same_build._TELL_SECONDS", 0.0)
    assert run_command(["calibrate", "--runs", "2", "--suite", "database"]) == 0
    told.append(capsys.readouterr().err)
    assert told[0].endswith("nightbench: working out the noise of 2 runs\n")
    assert "".join(told[1:]) == "nightbench: noise: 1 of 2 runs\nnightbench: noise: 2 of 2 runs\n"


def test_whoever_gives_up_waits_for_no_noise(tmp_path, monkeypatch):
    looked_at, waiting, go_on = [], threading.Event(), threading.Event()

    def slow(run):
        looked_at.append(run)
        waiting.set()
        go_on.wait()
        return {}

    monkeypatch.setattr("nightbench.verdict.sets.noise._by_quantity", slow)
    night = Night(Settings(results=tmp_path), "calibration")

    async def main():
        noise = asyncio.create_task(_noise(night, [database_measurement(number=n) for n in range(3)]))
        await asyncio.to_thread(waiting.wait)
        noise.cancel()
        with suppress(asyncio.CancelledError):
            await noise
        go_on.set()

    asyncio.run(main())
    assert len(looked_at) == 1


def test_a_suite_that_breaks_does_not_stop_the_other(build, capsys):
    async def broken(_measurement, _stop):
        raise MeasurementError("the load generator gave no result")

    build.of["websocket", 1] = broken
    assert run_command(["calibrate", "--runs", "2"]) == 3
    assert noise("database").loc["query.response_time.p95", "runs"] == 2
    assert noise("websocket").empty
    assert "calibration websocket 2" not in build.labels
    assert "the load generator gave no result" in capsys.readouterr().err


def test_what_cannot_be_stored_is_shown_all_the_same(build, capsys, monkeypatch):
    def full(*_args, **_kwargs):
        raise MeasurementError("no space left on device")

    monkeypatch.setattr(HistoryStore, "save_noise", full)
    assert run_command(["calibrate", "--runs", "2", "--suite", "database"]) == 3
    out = capsys.readouterr().out
    assert "query.response_time.p95" in out
    assert "no space left on device" in out


def test_a_subject_that_is_not_there_is_a_wrong_setting(build, capsys):
    async def refused(_measurement, _stop):
        raise ConfigurationError("--dsn", "x", "nothing answers there")

    build.of["database", 1] = refused
    assert run_command(["calibrate", "--runs", "2", "--suite", "database"]) == 2
    assert capsys.readouterr().err.count("nothing answers there") == 1


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("calibrate --runs 1", ["--runs", "1", "from 2 to 100"]),
        ("calibrate --runs 101", ["--runs", "101"]),
        ("calibrate --runs many", ["--runs", "many"]),
        ("calibrate nope", ["nope"]),
        ("calibrate --suite nope", ["--suite", "nope"]),
        ("calibrate --results taken", ["results", "taken"]),
    ],
)
def test_what_is_wrong_is_named_before_anything_runs(refused, arguments, names):
    refused(arguments, {}, None, names)
