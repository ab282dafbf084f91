"""``nightbench history backup``: a second copy, and what is told of it."""

from __future__ import annotations

import json

import pytest
from cli.storing import run

from nightbench.cli import run_command
from nightbench.errors import ExitCode
from nightbench.history.store import HistoryStore


@pytest.fixture
def there(tmp_path, monkeypatch):
    monkeypatch.setenv("NIGHTBENCH_BACKUP", str(tmp_path / "copy"))
    return tmp_path / "copy"


def test_a_dry_run_copies_nothing(stored, there, document):
    found = document("history", "backup", "--dry-run")
    assert (found["dry_run"], found["copied"]) == (True, [])
    assert any(run(0) in path for path in found["lacking"])
    assert not there.exists()


def test_what_is_lacking_is_copied_once(stored, there, document, ran):
    first = document("history", "backup")
    assert sorted(first["copied"]) == sorted(first["lacking"])
    assert HistoryStore(there).run_ids() == HistoryStore(stored).run_ids()
    assert "lacks nothing" in ran("history", "backup")


def test_a_torn_file_is_told_and_ends_with_3(own, there, monkeypatch, capsys):
    monkeypatch.setenv("NIGHTBENCH_RESULTS", str(own))
    torn = next((own / "metrics").rglob("*.parquet"))
    torn.unlink()  # its content is that of all tests
    torn.write_bytes(b"torn")
    assert run_command(["history", "backup", "--json", "-"]) == 3
    out, err = capsys.readouterr()
    assert torn.name in err
    assert any(torn.name in path for path in json.loads(out)["problems"])


def test_without_a_second_location_it_says_how_to_set_one(refused):
    refused("history backup", {}, "", ["NIGHTBENCH_BACKUP", "s3://bucket/prefix"])


def test_the_results_themselves_are_no_second_location(refused):
    refused("history backup", {"NIGHTBENCH_BACKUP": "results/copy"}, "", ["backup", "another disk or bucket"])


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(stored, monkeypatch, capsys):
    monkeypatch.setenv("NIGHTBENCH_BACKUP", "/proc/nightbench")  # where nobody makes a folder
    monkeypatch.setattr("nightbench.history.copying.copy", None)
    assert run_command(["history", "backup", "--results", str(stored)]) == ExitCode.WRONG_USE
    assert "backup = '/proc/nightbench'" in capsys.readouterr().err
