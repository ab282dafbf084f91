"""The dataset in an object store: moto's S3 server, and fsspec's memory for what needs no server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pandas as pd
import pytest
from builders import websocket_measurement
from object_store import BUCKET, SECRET, s3_server
from test_history_reading import READ, dataset
from test_history_store import save, write_from_two_processes

from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.history.export import export
from nightbench.history.pruning import Limits, prunable, prune
from nightbench.history.store import HistoryStore

ROOT = f"s3://{BUCKET}/team/results"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server; the environment names it and its credentials."""
    with s3_server() as address:
        yield address


@pytest.fixture(params=["s3", "memory"])
def root(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty root of each kind."""
    if request.param == "s3":
        request.getfixturevalue("s3")
    url = ROOT if request.param == "s3" else "memory://nightbench/results"
    yield url
    files, path = fsspec.url_to_fs(url)
    if files.exists(path):
        files.rm(path, recursive=True)


def test_what_is_saved_is_read(root: str) -> None:
    store = HistoryStore(root)
    store.check_writable()
    assert store.storage.entries("") == []
    dataset(root)
    assert {table: len(read(store)) > 0 for table, read in READ.items()} == dict.fromkeys(READ, True)
    assert store.run(store.run_ids()[0]).document()["tier"] == "full"
    assert store.unreadable == []


def test_pandas_reads_it_by_its_url(root: str) -> None:
    dataset(root)
    assert {table: len(pd.read_parquet(f"{root}/{table}")) > 0 for table in READ} == dict.fromkeys(READ, True)


def test_where_a_run_lies_is_a_url(root: str) -> None:
    saved = save(HistoryStore(root), websocket_measurement())
    assert saved.paths[2] == f"{root}/runs/suite=websocket/tier=full/month=2026-11/{saved.run_id}.parquet"


def test_what_another_machine_wrote_meanwhile_is_seen(root: str, tmp_path: Path) -> None:
    store = HistoryStore(root)
    save(store, websocket_measurement())
    assert len(set(store.nights("local")["run_id"])) == 1
    saved = save(HistoryStore(tmp_path), websocket_measurement(number=1))
    other = fsspec.filesystem(root.partition(":")[0], skip_instance_cache=True)
    for path in saved.paths:
        other.pipe_file(f"{root}/{Path(path).relative_to(tmp_path)}", Path(path).read_bytes())
    assert store.nights("local")["run_id"].nunique() == 2


def test_unreadable_objects_are_skipped_and_named(root: str) -> None:
    store = dataset(root)
    files, path = fsspec.url_to_fs(root)
    month = "suite=websocket/tier=full/month=2026-11"
    run = websocket_measurement().run_id
    for name, content in {
        f"metrics/{month}/{run}.parquet": b"PAR1",
        f"verdicts/{month}/torn.parquet": b"",
        "marks/stray.parquet": b"whatever",
    }.items():
        files.pipe_file(f"{path}/{name}", content)
    for read in READ.values():
        read(store)
    assert [file.path for file in store.unreadable] == [
        f"{root}/marks/stray.parquet",
        f"{root}/metrics/{month}/{run}.parquet",
        f"{root}/verdicts/{month}/torn.parquet",
    ]


def test_old_runs_are_removed(root: str, tmp_path: Path) -> None:
    store = HistoryStore(root)
    for number in range(3):
        save(store, websocket_measurement(number=number))
    assert len(prune(store, prunable(store, Limits(nights=1))).removed) == 2
    assert store.run_ids() == [websocket_measurement(number=2).run_id]
    (exported,) = export(store, tmp_path / "all.csv")
    assert exported.rows == len(websocket_measurement().metrics)


def test_two_writers_at_once_lose_nothing(s3: str) -> None:
    write_from_two_processes(f"{ROOT}-writers")


@pytest.mark.parametrize("url", ["s3://no-such-bucket/results", "s3://nightbench-elsewhere"])
def test_a_bucket_that_is_not_there_is_a_configuration_error(s3: str, url: str) -> None:
    with pytest.raises(ConfigurationError, match="results = 's3://") as caught:
        HistoryStore(url).check_writable()
    assert "cannot be written to" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_run_that_cannot_be_written_is_kept_elsewhere(s3: str, tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="it was kept as") as caught:
        save(HistoryStore("s3://no-such-bucket/x"), websocket_measurement(), fallback=tmp_path)
    assert "s3://no-such-bucket/x" in str(caught.value)
    assert len(list(tmp_path.iterdir())) == 1


def test_an_error_never_shows_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)

    def refuse(self, path, value, **options):
        raise RuntimeError(f"signature of {SECRET} does not match")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.pipe_file", refuse)
    with pytest.raises(ConfigurationError, match=r"signature of \*\*\* does not match"):
        HistoryStore("memory://nightbench").check_writable()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(url, **options):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(ConfigurationError, match=r"results = .*pip install --editable '\.\[s3\]'"):
        HistoryStore("s3://nightbench/results").check_writable()


def test_a_store_that_nobody_knows_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="no kind of store 's4'"):
        HistoryStore("s4://nightbench/results").check_writable()
