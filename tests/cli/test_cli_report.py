"""``nightbench report``: the file, where it goes, and what is refused before a second is spent."""

from __future__ import annotations

import io
import os
import select
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from builders import database_measurement, verdict_of, websocket_measurement

from nightbench.cli import run_command
from nightbench.errors import ExitCode
from nightbench.history.store import HistoryStore


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    store = HistoryStore(tmp_path_factory.mktemp("results"))
    for number in range(2):
        run = websocket_measurement(number=number)
        store.save(run, verdict_of(run).targets)
    return store.root


def test_the_file_is_made_and_named(results, tmp_path, capsys):
    file = tmp_path / "trend.html"
    assert run_command(["report", "--results", str(results), "-o", str(file)]) == ExitCode.MET
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{file}: 2 nights, 2026-11-24 to 2026-11-25" in said.err
    assert "All targets met" in said.err
    assert file.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert [each.name for each in tmp_path.iterdir()] == ["trend.html"]


def test_stdout_has_the_page_and_nothing_else(results, capsys):
    assert (
        run_command(["report", "--results", str(results), "--tier", "full", "--output", "-"]) == ExitCode.MET
    )
    said = capsys.readouterr()
    assert said.out.startswith("<!DOCTYPE html>")
    assert said.out.endswith("</html>")
    assert said.err == ""


def test_stdout_has_the_page_in_utf_8_whatever_the_locale_is(results, monkeypatch):
    page = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(page, "ascii"))
    assert (
        run_command(["report", "--results", str(results), "--tier", "full", "--output", "-"]) == ExitCode.MET
    )
    assert page.getvalue().decode("utf-8").endswith("</html>")


def test_a_device_is_written_into_and_never_replaced(results, tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # else a writer waits for one
    with ThreadPoolExecutor(1) as others:
        read = others.submit(_all_of, reader)
        assert run_command(["report", "--results", str(results), "--output", str(pipe)]) == ExitCode.MET
        assert read.result().startswith(b"<!DOCTYPE html>")
    assert pipe.is_fifo()


def _all_of(reader: int) -> bytes:
    os.set_blocking(reader, True)
    select.select([reader], [], [])  # before somebody writes it is at its end
    with os.fdopen(reader, "rb") as file:
        return file.read()


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--nights", "1"], "--nights = 1: has to be from 2 to 1000"),
        (["--nights", "1001"], "--nights = 1001: has to be from 2 to 1000"),
        (["--nights", "many"], "--nights"),
        (["--tier", "gentle"], "--tier"),
        (["--output", "/nowhere/at/all/report.html"], "there is no folder /nowhere/at/all"),
        (["--output", "."], "is a folder"),
        (["--environment", "mars"], "have no night of environment mars"),
        (["--tier", "stress"], "have no night of environment local"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(results, flags, says, capsys):
    assert run_command(["report", "--results", str(results), *flags]) == ExitCode.WRONG_USE
    assert says in capsys.readouterr().err


def test_a_file_of_the_history_that_cannot_be_read_is_named(results, tmp_path, capsys):
    stray = results / "metrics" / "stray.parquet"
    stray.write_bytes(b"PAR1")
    try:
        code = run_command(["report", "--results", str(results), "-o", str(tmp_path / "r.html")])
    finally:
        stray.unlink()
    assert code == ExitCode.MET
    assert f"{stray}: not part of the history" in capsys.readouterr().err
    assert "not part of the history" in (tmp_path / "r.html").read_text("utf-8")


def torn(results, suite):
    for file in (results / "runs" / f"suite={suite}").rglob("*.parquet"):
        file.write_bytes(b"PAR1 torn")


def test_a_suite_that_cannot_be_read_is_no_pass(tmp_path, capsys):
    store = HistoryStore(tmp_path / "results")
    for run in (websocket_measurement(), database_measurement()):
        store.save(run, verdict_of(run).targets)
    torn(store.root, "database")
    assert (
        run_command(["report", "--results", str(store.root), "-o", str(tmp_path / "r.html")]) == ExitCode.MET
    )
    said = capsys.readouterr().err
    assert "Invalid or incomplete, neither a pass nor a fail: full database cannot be read" in said
    assert "not part of the history" in said


def test_a_history_of_which_nothing_can_be_read_makes_no_report(tmp_path, capsys):
    store = HistoryStore(tmp_path / "results")
    run = websocket_measurement()
    store.save(run, verdict_of(run).targets)
    torn(store.root, "websocket")
    file = tmp_path / "r.html"
    assert run_command(["report", "--results", str(store.root), "-o", str(file)]) == ExitCode.INVALID
    assert "no night can be read" in capsys.readouterr().err
    assert not file.exists()
