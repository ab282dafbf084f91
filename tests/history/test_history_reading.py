"""Reading the runs back: whose they are, older files, and files that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import database_measurement, invalidated, websocket_measurement
from test_history_store import save

from nightbench.history.reading import read_rows
from nightbench.history.schema import WINDOWS
from nightbench.history.store import HistoryStore
from nightbench.measurement import Validity


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
