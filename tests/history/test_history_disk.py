"""What a disk can do to the history: it cannot be written to, it is full."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import websocket_measurement
from full_disk import needs_a_small_disk, run_on_a_small_disk
from test_history_store import save

from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.history.store import HistoryStore


def test_a_missing_parent_is_created(tmp_path: Path) -> None:
    HistoryStore(tmp_path / "a" / "b").check_writable()
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below", "tables"])
def test_a_file_in_the_way_is_a_configuration_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("I am here")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "metrics").write_text("so am I")
    with pytest.raises(ConfigurationError, match="results") as caught:
        HistoryStore(tmp_path / place).check_writable()
    assert str(tmp_path) in str(caught.value)


def test_a_file_system_that_takes_no_files_is_a_configuration_error() -> None:
    # /proc refuses new entries to everybody, root too, as a read-only mount does
    with pytest.raises(ConfigurationError, match="results"):
        HistoryStore(Path("/proc/nightbench")).check_writable()


@needs_a_small_disk
def test_a_full_disk_keeps_the_run_in_the_fallback_folder(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from builders import websocket_measurement, windows
from nightbench.errors import MeasurementError
from nightbench.history.store import HistoryStore
root = Path({str(tmp_path / "small")!r})
measurement = websocket_measurement(windows=windows("message", "x", seconds=60, rate=500, median_ms=20))
try:
    HistoryStore(root).save(measurement, (), fallback=Path({str(tmp_path / "kept")!r}))
except MeasurementError as error:
    print(error)
    left = [path.name for path in root.rglob("*") if path.is_file()]
    sys.exit(1 if left else 0)
sys.exit(2)
"""
    done = run_on_a_small_disk(tmp_path / "small", 24, script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no space left on device" in done.stdout
    kept = json.loads(next((tmp_path / "kept").iterdir()).read_text())
    assert len(kept["windows"]) == 60


def test_a_failed_save_names_the_folder_and_keeps_the_document(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "runs").write_text("in the way")
    store, measurement = HistoryStore(tmp_path / "results"), websocket_measurement()
    with pytest.raises(MeasurementError) as caught:
        save(store, measurement, fallback=tmp_path / "unsaved")
    kept = tmp_path / "unsaved" / f"{measurement.run_id}.json"
    assert str(tmp_path / "results") in str(caught.value)
    assert str(kept) in str(caught.value)
    document = json.loads(kept.read_text())
    assert len(document["metrics"]) == len(measurement.metrics)
    assert len(document["windows"]) == len(measurement.windows)


def test_a_failed_save_leaves_no_part_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(MeasurementError):
        save(HistoryStore(tmp_path), websocket_measurement())
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["runs"]


def test_a_fallback_that_fails_too_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MeasurementError, match="nor could it be kept"):
        save(HistoryStore(tmp_path / "file"), websocket_measurement(), fallback=tmp_path / "file" / "x")
