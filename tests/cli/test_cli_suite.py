"""One suite by itself: a measurement is never lost, whatever happens to it afterwards."""

from __future__ import annotations

import json
import os
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from builders import database_measurement, websocket_measurement, with_metric

from nightbench.calibration import HostCalibration
from nightbench.cli import run_command
from nightbench.history.store import HistoryStore
from nightbench.subject import Subject


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("NIGHTBENCH_")]:
        if variable != "NIGHTBENCH_RUN__SLOTS":
            monkeypatch.delenv(variable)
    monkeypatch.setenv("NIGHTBENCH_CACHE", str(tmp_path / "cache"))

    @asynccontextmanager
    async def subject(*_args, **_kwargs):
        yield Subject()

    monkeypatch.setattr("nightbench.night.provide", subject)
    monkeypatch.setattr("nightbench.night.calibrate_host", lambda _folder: HostCalibration())


@pytest.fixture
def measured(monkeypatch):
    """Stage what a suite measures, and what happens to the disk meanwhile."""

    def stage(measurement, meanwhile=lambda: None):
        async def run(*_args, **_kwargs):
            meanwhile()
            return measurement

        module = "websocket.load_test" if measurement.suite == "websocket" else "database.stress_test"
        monkeypatch.setattr(f"nightbench.{module}.run", run)

    return stage


def something_in_the_way():
    Path("results/runs").write_text("in the way")


def test_a_run_that_cannot_be_saved_is_shown_written_and_kept_aside(measured, capsys):
    measurement = websocket_measurement(tier="quick")
    measured(measurement, something_in_the_way)

    assert run_command(["websocket", "--json", "it.json"]) == 3

    out, err = capsys.readouterr()
    kept = Path("cache/unsaved", f"{measurement.run_id}.json")
    assert json.loads(kept.read_text())["run_id"] == measurement.run_id
    assert json.loads(Path("it.json").read_text())["run_id"] == measurement.run_id
    assert "targets met" in out
    assert "kept aside  cache/unsaved" in out
    assert "could not be saved" in err


def test_with_a_missed_target_that_is_the_code(measured):
    late = with_metric(websocket_measurement(tier="quick"), "message.response_time.p95", 5000)
    measured(late, something_in_the_way)
    assert run_command(["websocket"]) == 1


def test_a_history_that_breaks_does_not_lose_the_document(measured, monkeypatch):
    def broken(*_args, **_kwargs):
        raise OSError("input/output error")

    monkeypatch.setattr(HistoryStore, "nights", broken)
    measured(database_measurement(tier="quick"))
    assert run_command(["database", "--json", "it.json"]) == 3
    assert Path("it.json").exists()


def test_a_document_that_cannot_be_written_does_not_lose_the_summary(measured, capsys):
    measured(database_measurement(tier="quick"), lambda: Path("it.json").mkdir())
    assert run_command(["database", "--json", "it.json"]) == 3
    out, err = capsys.readouterr()
    assert "quick · database" in out
    assert "--json" in err


def test_a_missed_target_wins_over_a_document_that_cannot_be_written(measured, capsys):
    late = with_metric(websocket_measurement(tier="quick"), "message.response_time.p95", 5000)
    measured(late, lambda: Path("it.json").mkdir())
    assert run_command(["websocket", "--json", "it.json"]) == 1
    out, err = capsys.readouterr()
    assert "quick · websocket" in out
    assert "--json = 'it.json': cannot be written" in err


@pytest.mark.parametrize("suite", ["websocket", "database"])
def test_an_embedded_backend_that_has_ended_is_no_wrong_setting(suite, monkeypatch, capsys):
    with socket.socket() as held:  # bound and not listening: nobody else can take the port
        held.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{held.getsockname()[1]}"
        subject = Subject(
            websocket_url=f"ws://{place}/chat",
            dsn=f"postgresql://app@{place}/app",
            embedded=frozenset({"websocket", "database"}),
        )

        @asynccontextmanager
        async def ended(*_args, **_kwargs):
            yield subject

        monkeypatch.setattr("nightbench.night.provide", ended)
        assert run_command([suite]) == 3
    err = capsys.readouterr().err
    assert "the embedded" in err
    assert "has ended" in err
    assert "--url" not in err
    assert "--dsn" not in err


def test_a_good_run_keeps_nothing_aside(measured, capsys):
    measured(database_measurement(tier="quick"))
    assert run_command(["database"]) == 0
    assert "kept aside" not in capsys.readouterr().out


def test_an_unexpected_error_shows_its_traceback_without_secrets_when_asked(monkeypatch, capsys):
    def broken(*_args, **_kwargs):
        raise RuntimeError("postgresql://app:hunter2@db/app broke")

    monkeypatch.setattr("nightbench.night.provide", broken)
    monkeypatch.setenv("NIGHTBENCH_DEBUG", "1")

    assert run_command(["websocket"]) == 3

    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "RuntimeError: postgresql://app:***@db/app broke" in err
    assert "hunter2" not in err
