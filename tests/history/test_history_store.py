"""Saving runs: where they lie, what they keep, and that nothing is lost."""

from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, datetime, timedelta, timezone
from multiprocessing.synchronize import Event
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from builders import database_measurement, verdict_of, websocket_measurement
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    assert row["schema_version"] == 3
    assert (row["role"], row["block"]) == ("night", 1)
    assert json.loads(row["fingerprint"])["subject"] == "embedded"
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


@pytest.mark.parametrize("written", [0, 1, 2])
def test_a_crash_while_saving_leaves_no_run(
    tmp_path: Path, written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = HistoryStore(tmp_path)
    whole, left = store.storage.write, [None] * written

    def write(path: str, content: bytes) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        whole(path, content)

    monkeypatch.setattr(store.storage, "write", write)
    with pytest.raises(KeyboardInterrupt):
        save(store, websocket_measurement())
    assert len(list(tmp_path.rglob("*.parquet"))) == written
    assert store.run_ids() == []
    assert store.nights("local").empty
    assert store.unreadable == []


def save_many(root: Path | str, first: int, begun: Event, seen: Event) -> None:
    store = HistoryStore(root)
    for number in range(first, first + 8):
        save(store, websocket_measurement(number=number))
        begun.set()
        assert seen.wait(60)


def write_from_two_processes(root: Path | str) -> None:
    """Both write at the same time: neither goes on before the other has begun."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Event(), context.Event()
    other = context.Process(target=save_many, args=(root, 100, theirs, ours))
    other.start()
    save_many(root, 0, ours, theirs)
    other.join(60)
    assert other.exitcode == 0
    store = HistoryStore(root)
    assert store.nights("local")["run_id"].nunique() == 16
    assert store.unreadable == []


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    write_from_two_processes(tmp_path)
    assert not list(tmp_path.rglob(".*"))


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
