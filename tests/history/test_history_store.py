"""Saving runs and reading them back."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import database_measurement, invalidated, verdict_of, websocket_measurement
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.history.reading import read_rows
from nightbench.history.schema import WINDOWS
from nightbench.history.store import HistoryStore
from nightbench.load.histogram import decode_counts
from nightbench.measurement import Measurement, Metric, Validity


def save(store: HistoryStore, measurement: Measurement, **options):
    return store.save(measurement, verdict_of(measurement).targets, **options)


def test_a_run_has_one_file_in_each_table(tmp_path: Path) -> None:
    saved = save(HistoryStore(tmp_path), websocket_measurement())
    assert sorted(path.relative_to(tmp_path).as_posix() for path in saved.paths) == [
        f"{table}/suite=websocket/tier=full/month=2026-11/20261124T031500Z-full-websocket-000000.parquet"
        for table in ("metrics", "runs", "windows")
    ]
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(saved.paths)


def test_pandas_reads_the_metrics_folder(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    save(store, websocket_measurement())
    save(store, database_measurement(tier="baseline"))
    frame = pd.read_parquet(tmp_path / "metrics")
    assert set(frame["suite"]) == {"websocket", "database"}
    assert set(frame["tier"]) == {"full", "baseline"}
    row = frame[frame["name"] == "connection.connected_users"].iloc[0]
    assert (row["value"], row["unit"], row["n"], row["valid"]) == (100.0, "1", 100, True)
    assert str(frame["started_at"].dtype) == "datetime64[us, UTC]"


def test_pandas_reads_every_table_also_with_an_outbox_and_a_readme_beside_them(tmp_path: Path) -> None:
    save(HistoryStore(tmp_path), websocket_measurement())
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "outbox").mkdir()
    (tmp_path / "metrics" / ".torn.parquet.tmp").write_bytes(b"half")
    assert [len(pd.read_parquet(tmp_path / table)) for table in ("runs", "windows")] == [1, 8]
    assert len(pd.read_parquet(tmp_path / "metrics")) == len(websocket_measurement().metrics)


def test_a_run_keeps_what_it_was(tmp_path: Path) -> None:
    measurement = database_measurement()
    save(HistoryStore(tmp_path), measurement)
    row = pd.read_parquet(tmp_path / "runs").iloc[0]
    assert row["schema_version"] == 1
    assert json.loads(row["plan"])["queries"] == measurement.plan.queries
    assert json.loads(row["packages"])["prefect"] == "3.8.8"
    assert json.loads(row["host"])["cores"] == 2
    assert json.loads(row["operations"])["query"]["errors"] == {"sqlstate_57014": 1}
    assert {target["metric"] for target in json.loads(row["targets"])} >= {"query.leaked_rows"}
    assert bool(row["targets_met"])


def test_the_histograms_of_the_windows_come_back(tmp_path: Path) -> None:
    measurement = websocket_measurement()
    save(HistoryStore(tmp_path), measurement)
    stored = pd.read_parquet(tmp_path / "windows").sort_values("second")
    assert [decode_counts(text.encode()).sum() for text in stored["histogram"]] == [50] * 8
    assert list(stored["histogram"]) == [window.histogram.decode() for window in measurement.windows]
    assert list(stored["seconds"]) == [1] * 8


def test_no_secret_is_stored(tmp_path: Path) -> None:
    measurement = websocket_measurement(
        subject={"dsn": "postgresql://app:hunter2@host/db"},
        details={"note": "Authorization: Bearer abcdef123456", "url": "ws://h/?token=abcdef123456"},
        validity=Validity(("password=hunter2 was refused",)),
    )
    saved = save(HistoryStore(tmp_path), measurement)
    stored = b"".join(str(pq.ParquetFile(path).read().to_pylist()).encode() for path in saved.paths)
    assert b"hunter2" not in stored
    assert b"abcdef123456" not in stored


def test_past_metrics_are_those_of_valid_runs_of_the_same_suite_tier_and_environment(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    wanted = [websocket_measurement(number=number) for number in (2, 1)]
    others = [
        invalidated(websocket_measurement(number=3), "too slow"),
        websocket_measurement(number=4, validity=Validity(complete=False)),
        websocket_measurement(number=5, environment="staging"),
        websocket_measurement(number=6, tier="stress"),
        database_measurement(number=7),
    ]
    for measurement in (*wanted, *others):
        save(store, measurement)
    past = store.past_metrics("websocket", "full", "local")
    assert list(past["run_id"].unique()) == [wanted[1].run_id, wanted[0].run_id]
    assert list(past.columns) == [
        "run_id",
        "night_id",
        "started_at",
        "plan_hash",
        "subject_key",
        "name",
        "value",
        "unit",
        "n",
    ]
    assert store.unreadable == []
    assert len(pd.read_parquet(tmp_path / "runs")) == 7


def test_without_a_history_the_frames_are_empty_but_whole(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path / "nothing")
    assert list(store.past_metrics("websocket", "full", "local").columns)[:2] == ["run_id", "night_id"]
    assert len(store.past_metrics("websocket", "full", "local")) == 0


def without_widths(saved) -> Path:
    """The windows of a saved run as they were written before windows had widths."""
    (path,) = (path for path in saved.paths if "windows" in path.parts)
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["seconds"]), path)
    return path


def test_windows_without_a_width_are_of_one_second(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    path = without_widths(save(store, websocket_measurement()))
    table = read_rows(path, WINDOWS)
    assert table.schema == WINDOWS
    assert table["seconds"].to_pylist() == [1] * 8
    assert table["second"].to_pylist() == list(range(8))


def test_a_run_whose_windows_have_no_width_is_part_of_the_history(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    without_widths(save(store, websocket_measurement()))
    assert len(store.past_metrics("websocket", "full", "local"))
    assert store.unreadable == []


PARTITION = "suite=websocket/tier=full/month=2026-11"


def torn(path: Path, good: Path) -> None:
    path.write_bytes(good.read_bytes()[:-100])


def empty(path: Path, good: Path) -> None:
    path.write_bytes(b"")


def not_parquet(path: Path, good: Path) -> None:
    path.write_text("run_id,value\n1,2\n")


def foreign(path: Path, good: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2]}), path)


def newer(path: Path, good: Path) -> None:
    table = pq.ParquetFile(good).read()
    versions = pa.array([99] * len(table), pa.int32())
    pq.write_table(table.set_column(0, "schema_version", versions), path)


def of_another_kind(path: Path, good: Path) -> None:
    table = pq.ParquetFile(good).read()
    place = table.schema.get_field_index("started_at")
    pq.write_table(table.set_column(place, "started_at", pa.array(["soon"] * len(table))), path)


def a_dangling_link(path: Path, good: Path) -> None:
    path.symlink_to("/nowhere/at/all.parquet")


@pytest.mark.parametrize("table", ["runs", "metrics"])
@pytest.mark.parametrize(
    "spoil", [torn, empty, not_parquet, foreign, newer, of_another_kind, a_dangling_link]
)
def test_an_unreadable_file_is_skipped_and_named(tmp_path: Path, table: str, spoil) -> None:
    store = HistoryStore(tmp_path)
    save(store, websocket_measurement(number=1))
    good = next((tmp_path / table / PARTITION).iterdir())
    bad = good.with_name("spoiled.parquet")
    spoil(bad, good)
    past = store.past_metrics("websocket", "full", "local")
    assert set(past["run_id"]) == {websocket_measurement(number=1).run_id}
    assert [file.path for file in store.unreadable] == [bad]
    assert store.unreadable[0].problem


def test_a_torn_windows_file_is_named_too(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    bad = save(store, websocket_measurement()).paths[1]
    bad.write_bytes(b"PAR1")
    store.past_metrics("websocket", "full", "local")
    assert [file.path for file in store.unreadable] == [bad]


def test_a_file_outside_the_layout_is_named(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    save(store, websocket_measurement())
    stray = tmp_path / "metrics" / "stray.parquet"
    stray.write_bytes(b"whatever")
    store.past_metrics("websocket", "full", "local")
    assert [file.path for file in store.unreadable] == [stray]


def test_a_run_without_its_metrics_is_named(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    metrics, _, run = save(store, websocket_measurement()).paths
    metrics.unlink()
    assert store.past_metrics("websocket", "full", "local").empty
    assert [file.path for file in store.unreadable] == [run]


def test_metrics_without_a_run_are_no_history(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    save(store, websocket_measurement()).paths[2].unlink()
    assert store.past_metrics("websocket", "full", "local").empty
    assert store.unreadable == []


def save_many(root: Path, first: int, amount: int) -> None:
    store = HistoryStore(root)
    for number in range(first, first + amount):
        save(store, websocket_measurement(number=number))


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=save_many, args=(tmp_path, first, 10)) for first in (0, 100)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    store = HistoryStore(tmp_path)
    assert store.past_metrics("websocket", "full", "local")["run_id"].nunique() == 20
    assert store.unreadable == []
    assert not list(tmp_path.rglob(".*"))


# --- what a disk can do -----------------------------------------------------------------------------------


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


def unshare_works() -> bool:
    command = ["unshare", "--mount", "true"]
    try:
        return os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not unshare_works(), reason="needs the right to mount")
def test_a_full_disk_keeps_the_run_in_the_fallback_folder(tmp_path: Path) -> None:
    # the mount lives and dies with the mount namespace of the child
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
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
    (tmp_path / "small").mkdir()
    mount = 'mount -t tmpfs -o size=24k nightbench-test "$1" && exec "$2" -c "$3"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, "sh", str(tmp_path / "small"), sys.executable, script],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
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


# --- any measurement --------------------------------------------------------------------------------------

texts = st.text(max_size=20)
metrics = st.builds(
    Metric,
    name=texts,
    value=st.none() | st.floats(),
    unit=st.sampled_from(["ms", "%", "1/s", "1"]),
    n=st.integers(0, 2**63 - 1),
)
trees = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    found=st.lists(metrics, max_size=6),
    reasons=st.lists(texts, max_size=2),
    details=st.dictionaries(texts, trees, max_size=3),
    seconds=st.integers(0, 4_000_000_000),
)
def test_whatever_was_measured_comes_back(tmp_path_factory, found, reasons, details, seconds) -> None:
    instant = datetime.fromtimestamp(seconds, timezone(timedelta(hours=5, minutes=30)))
    measurement = websocket_measurement(
        metrics=tuple(found),
        validity=Validity(tuple(reasons)),
        details=details,
        started_at=instant,
        windows=(),
    )
    root = tmp_path_factory.mktemp("dataset")
    store = HistoryStore(root)
    save(store, measurement)
    runs, stored = (pd.read_parquet(root / table) for table in ("runs", "metrics"))
    assert store.unreadable == []
    assert runs.iloc[0]["started_at"].to_pydatetime() == instant.astimezone(UTC)
    assert len(runs.iloc[0]["reasons"]) == len(reasons)
    assert list(stored["n"]) == [metric.n for metric in found]
    finite = [
        metric.value if metric.value is not None and abs(metric.value) < float("inf") else None
        for metric in found
    ]
    assert [None if pd.isna(value) else value for value in stored["value"]] == finite
