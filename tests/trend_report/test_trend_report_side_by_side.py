"""Suites gathered side by side: every one once and in order, by whoever is free, and errors are told."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections import deque
from concurrent.futures import Executor, Future
from threading import Event, current_thread, main_thread

import pytest
from builders import verdict_of, websocket_measurement

from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.history.store import HistoryStore
from nightbench.settings import load
from nightbench.trend_report import side_by_side
from nightbench.trend_report.side_by_side import gathered, has_many_runs

JOBS = [("settings", tier, suite, 365) for tier in ("quick", "full") for suite in ("websocket", "database")]


class Here(Executor):
    """What stands for other processes: it works at once, in the thread that asks."""

    def __init__(self, *_args, **_options):
        """Take what a pool of processes is begun with."""

    def submit(self, work, /, *args, **options):
        done = Future()
        try:
            done.set_result(work(*args, **options))
        except Exception as error:  # noqa: BLE001  # as a pool does
            done.set_exception(error)
        return done


@pytest.fixture
def begun(monkeypatch):
    """The jobs in the order in which they began; those of others end after one of this process."""
    jobs, ours = deque(), Event()

    def gather(job):
        jobs.append(job)
        if current_thread() is main_thread():
            ours.set()
        else:
            ours.wait(5)
        return f"{job[1]} {job[2]}"

    monkeypatch.setattr(side_by_side, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(side_by_side, "_gathered", gather)
    return jobs


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    store = HistoryStore(tmp_path_factory.mktemp("results"))
    for number in range(2):
        run = websocket_measurement(number=number)
        store.save(run, verdict_of(run).targets)
    return load({"results": store.root, "environment": "local"})


@pytest.mark.parametrize("processes", [1, 2, 3, 99])
def test_each_suite_is_gathered_once_and_all_are_in_order(begun, processes):
    assert gathered(JOBS, processes) == [f"{tier} {suite}" for _, tier, suite, _ in JOBS]
    assert sorted(begun) == sorted(JOBS)


def test_an_error_of_another_process_is_told_in_its_words(begun, monkeypatch):
    problem = ConfigurationError("results", "/data", "cannot be read", "name a folder")

    def fails(_job):
        raise problem

    monkeypatch.setattr(side_by_side, "_gathered", fails)
    with pytest.raises(MeasurementError) as told:
        side_by_side._by_another(JOBS[0])
    assert str(told.value) == str(problem)


def test_after_an_error_nobody_begins_another_suite(begun, monkeypatch):
    given_up = Event()

    class Left(deque):
        def clear(self):
            super().clear()
            given_up.set()

    def gather(job):
        begun.append(job)
        if current_thread() is main_thread():
            raise MeasurementError("no disk")
        given_up.wait(5)

    monkeypatch.setattr(side_by_side, "deque", Left)
    monkeypatch.setattr(side_by_side, "_gathered", gather)
    with pytest.raises(MeasurementError, match="no disk"):
        gathered(JOBS, 2)
    assert len(begun) == 2


def test_another_process_gathers_what_this_one_does(settings):
    jobs = [(settings, "full", "websocket", 365)] * 2
    ours, theirs = gathered(jobs, 2)
    assert ours.trends == theirs.trends
    assert ours.load == theirs.load


@pytest.mark.parametrize("collects", [True, False])
def test_the_collector_works_after_the_import_if_it_did_before(collects):
    side_by_side._suite_report.cache_clear()
    if not collects:
        gc.disable()
    try:
        side_by_side._suite_report()
        assert gc.isenabled() is collects
    finally:
        gc.enable()
        gc.unfreeze()


@pytest.mark.parametrize(("runs", "many"), [(2, True), (3, False)])
def test_from_many_runs_on_other_processes_help(settings, monkeypatch, runs, many):
    monkeypatch.setattr(side_by_side, "MANY_RUNS", runs)
    assert has_many_runs(settings) is many


def test_no_runs_are_not_many(settings, tmp_path):
    assert not has_many_runs(settings.model_copy(update={"results": tmp_path / "nowhere"}))


def test_other_processes_begin_before_anything_heavy_is_imported():
    heavy = "{'pandas', 'pyarrow', 'altair', 'scipy', 'jinja2', 'numpy'}"
    script = f"import sys, nightbench.trend_report.making; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
