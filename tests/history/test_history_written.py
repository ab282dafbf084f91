"""Files of every version of the dataset are read for ever."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from builders import websocket_measurement
from test_history_store import save

from nightbench.history.fingerprint import differences
from nightbench.history.store import HistoryStore

WRITTEN = Path(__file__).parent / "written"
VERSIONS = ("schema_1", "schema_2", "schema_3")
PARTS = {
    "cores": "2", "cpu": "Example CPU @ 3.0 GHz", "kernel": "6.1", "python": "CPython 3.11", "subject": "embedded",
}  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_they_are_what_they_are_called(version: str) -> None:
    files = list((WRITTEN / version).rglob("*.parquet"))
    assert files
    assert {pq.ParquetFile(file).read()["schema_version"][0].as_py() for file in files} == {int(version[-1])}


@pytest.mark.parametrize(
    ("version", "runs", "metrics"), [("schema_1", 4, 186), ("schema_2", 8, 372), ("schema_3", 4, 186)]
)
def test_every_run_is_read_whole(version: str, runs: int, metrics: int) -> None:
    store = HistoryStore(WRITTEN / version)
    found = store.nights("local")
    assert found["run_id"].nunique() == runs
    assert set(found["tier"]) == {"full"}
    assert len(found) == metrics
    assert (found["value"].isna() == found["n"].lt(100) & found["metric"].str.endswith("p99")).all()
    assert set(found["role"]) == {"night"}
    for text in found["fingerprint"].unique():
        parts = json.loads(text)
        assert {name: parts[name] for name in PARTS} == PARTS
        assert len(parts["plan"]) == 16
    assert found.groupby("run_id", observed=True)["valid"].first().sum() == runs - 1
    assert len(store.runs()) == len(store.run_ids()) >= runs
    for run_id in store.run_ids():
        document = store.run(run_id).document()
        assert len(document["windows"]) == 8
        assert document["plan"]["model"] == "open"
    assert store.unreadable == []


def test_what_version_1_did_not_have_is_what_it_stands_for() -> None:
    found = HistoryStore(WRITTEN / "schema_1").runs()
    assert set(found["role"]) == {"night"}
    assert set(found["block"]) == {1}
    assert set(found["plan_hash"]) == {json.loads(text)["plan"] for text in found["fingerprint"]}


def test_version_2_has_blocks_repetitions_marks_lines_and_noise() -> None:
    store = HistoryStore(WRITTEN / "schema_2")
    assert set(store.nights("local")["block"]) == {1, 2}
    assert len(store.nights("local", roles=("rerun",)))
    assert [mark.kind for mark in store.marks("local")] == ["mute", "pin"]
    lines = store.lines("local").set_index("metric")
    assert lines.loc["message.response_time.p95", "state"] == "regression"
    assert lines.loc["message.response_time.p95", "layer"] == 2
    assert lines["since"].isna().all()  # the column is younger than these files
    assert list(store.noise("local")["between_sd"]) == [0.6]
    assert store.unreadable == []


@pytest.mark.parametrize(
    ("version", "releases"),
    [("schema_1", {None}), ("schema_2", {None}), ("schema_3", {"v2.4.1", "v2.5.0"})],
)
def test_a_run_from_before_releases_were_kept_has_none(version: str, releases: set[str | None]) -> None:
    store = HistoryStore(WRITTEN / version)
    assert set(store.nights("local")["release"].dropna()) == releases - {None}
    assert set(store.runs()["release"].dropna()) == releases - {None}
    assert {store.run(each).document()["release"] for each in store.run_ids()} == releases


def test_runs_of_all_versions_lie_side_by_side(tmp_path: Path) -> None:
    for version in VERSIONS:
        shutil.copytree(WRITTEN / version, tmp_path, dirs_exist_ok=True)
    store = HistoryStore(tmp_path)
    save(store, websocket_measurement(number=9))
    found = store.nights("local", suite="websocket")
    assert found["run_id"].nunique() == 2 + 4 + 2 + 1
    one, other = (
        found.loc[found["run_id"].str.endswith(end), "fingerprint"].iloc[0] for end in ("-000000", "-010000")
    )
    assert differences(one, other) == []
    assert store.unreadable == []


def test_windows_from_before_they_had_a_width_are_of_one_second(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    (path,) = (path for path in save(store, websocket_measurement()).paths if "windows" in Path(path).parts)
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["seconds"]), path)
    assert list(store.windows(store.run_ids())["seconds"]) == [1] * 8
    assert store.unreadable == []
