"""The host's own calibration: bounded, and never a reason to fail."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from pathlib import Path

import pytest
from builders import websocket_measurement

from nightbench import calibration
from nightbench.blocks import Turn
from nightbench.calibration import calibrate_host
from nightbench.night import Night
from nightbench.settings import Settings
from nightbench.tiers import TIERS

NAMES = ["calibration.cpu_time", "calibration.echo_time", "calibration.fsync_time"]


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    for repeats in ("_CPU_REPEATS", "_ECHO_REPEATS", "_FSYNC_REPEATS"):
        monkeypatch.setattr(calibration, repeats, 8)
    monkeypatch.setattr(calibration, "_STEPS", 200)


def test_it_measures_cpu_loopback_and_disk_in_milliseconds(tmp_path):
    host = calibrate_host(tmp_path)
    assert [metric.name for metric in host.metrics] == NAMES
    assert all(metric.unit == "ms" and metric.n == 8 for metric in host.metrics)
    assert all(metric.value is not None and 0 < metric.value < 1000 for metric in host.metrics)
    assert host.notes == ()


def test_it_leaves_nothing_behind(tmp_path):
    threads = threading.active_count()
    files = len(list(Path("/proc/self/fd").iterdir()))
    calibrate_host(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == files
    assert threading.active_count() == threads


def test_what_cannot_be_measured_is_missing_and_told(tmp_path, monkeypatch):
    def refused(*_args, **_kwargs):
        raise OSError(24, "too many open files")

    monkeypatch.setattr(socket, "create_server", refused)
    (tmp_path / "file").touch()
    host = calibrate_host(tmp_path / "file" / "folder")
    assert [metric.value is None for metric in host.metrics] == [False, True, True]
    assert host.notes == (
        "calibration.echo_time could not be measured: too many open files",
        "calibration.fsync_time could not be measured: not a directory",
    )


def test_a_slow_disk_ends_it_early(tmp_path, monkeypatch):
    clock = itertools.count(0, 100_000_000)  # a tenth of a second passes between any two looks
    monkeypatch.setattr(calibration, "perf_counter_ns", lambda: next(clock))
    assert [metric.n for metric in calibrate_host(tmp_path).metrics] == [5, 5, 5]


def test_a_disturbance_of_a_moment_does_not_count():
    durations = [1_000_000] * 30 + [50_000_000] * 10
    assert calibration._lower_quartile_ms(durations) == 1.0


def test_each_run_has_it_and_what_could_not_be_measured_is_told_once(tmp_path, monkeypatch):
    async def staged(*_args, **_kwargs):
        return websocket_measurement()

    monkeypatch.setattr("nightbench.websocket.load_test.run", staged)
    (tmp_path / "file").touch()
    told: list[str] = []
    night = Night(Settings(results=tmp_path / "file" / "folder"), "night", on_note=told.append)
    for block in (1, 2):
        run = asyncio.run(night.measure(TIERS["quick"], Turn("websocket", "night", block)))
        assert [metric.name for metric in run.metrics[-3:]] == NAMES
        assert run.metrics[:-3] == websocket_measurement().metrics
    assert told == ["calibration.fsync_time could not be measured: not a directory"]
