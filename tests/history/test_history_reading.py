"""Files that cannot be read: each is skipped and named, in every table, and never raised."""

from __future__ import annotations

import os
from collections.abc import Callable, Sized
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import websocket_measurement
from test_history_store import save

from nightbench.history import storage
from nightbench.history.marks import new_mark
from nightbench.history.schema import FORMS, TableForm
from nightbench.history.store import HistoryStore
from nightbench.verdict.judgement import Line, Verdict

NIGHT = websocket_measurement().night_id
LINES = Verdict(
    lines=(Line("websocket", "full", "message.throughput", "steady", False, True, 0.05),)
).to_frame()
NOISE = pd.DataFrame(
    {
        "suite": ["websocket"],
        "tier": "full",
        "metric": "x",
        "runs": 10,
        "mean": 1,
        "within_sd": 0,
        "between_sd": 0,
    }
)
AT = datetime(2026, 11, 25, tzinfo=UTC)
MARK = new_mark(
    "pin",
    environment="local",
    suite="websocket",
    tier="full",
    run_id="r",
    night_id=NIGHT,
    who="ana",
    why="best",
    at=AT,
)

READ: dict[str, Callable[[HistoryStore], Sized]] = {
    "runs": lambda store: store.runs(),
    "metrics": lambda store: store.nights("local"),
    "windows": lambda store: store.windows([websocket_measurement().run_id]),
    "verdicts": lambda store: store.lines("local"),
    "noise": lambda store: store.noise("local"),
    "marks": lambda store: store.marks(),
}
"""How each table is read."""


def dataset(root: Path | str) -> HistoryStore:
    """One file in each table."""
    store = HistoryStore(root)
    save(store, websocket_measurement())
    store.save_lines(LINES, environment="local", night_id=NIGHT, judged_at=AT)
    store.save_noise(NOISE, environment="local", at=AT)
    store.save_mark(MARK)
    return store


def form_of(table: str) -> TableForm:
    return next(form for form in FORMS if form.name == table)


def file_in(root: Path, table: str) -> Path:
    (path,) = (root / table).rglob("*.parquet")
    return path


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def not_parquet(path: Path) -> None:
    path.write_text("run_id,value\n1,2\n")


def broken_inside(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :])


def foreign(path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2]}), path)


def without_rows_or_columns(path: Path) -> None:
    pq.write_table(pa.table({"schema_version": pa.array([], pa.int32())}), path)


def newer(path: Path) -> None:
    table = pq.ParquetFile(path).read()
    versions = pa.array([99] * len(table), pa.int32())
    pq.write_table(table.set_column(0, "schema_version", versions), path)


def newer_with_other_columns(path: Path) -> None:
    pq.write_table(pa.table({"schema_version": pa.array([99], pa.int32()), "colour": ["red"]}), path)


def of_another_kind(path: Path) -> None:
    table = pq.ParquetFile(path).read()
    columns = [pa.array(["soon"] * len(table)) for _ in table.schema.names[1:]]
    pq.write_table(pa.table([table.column(0), *columns], names=table.schema.names), path)


def with_a_column_twice(path: Path) -> None:
    table = pq.ParquetFile(path).read()
    pq.write_table(table.append_column("schema_version", table.column(0)), path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/at/all.parquet")


SPOILS = [
    torn, empty, not_parquet, broken_inside, foreign, without_rows_or_columns, newer, newer_with_other_columns, of_another_kind, a_folder,
    with_a_column_twice,    a_pipe, a_dangling_link,
]  # fmt: skip


CASES = [
    (table, spoil)
    for table in READ
    for spoil in (
        SPOILS if table == "metrics" else (torn, newer, a_folder, a_dangling_link, with_a_column_twice)
    )
]


@pytest.mark.parametrize(("table", "spoil"), CASES)
def test_an_unreadable_file_is_skipped_and_named(
    store: HistoryStore, tmp_path: Path, table: str, spoil
) -> None:
    bad = file_in(tmp_path, table)
    run = file_in(tmp_path, "runs")
    spoil(bad)
    assert len(READ[table](store)) == 0
    named = {file.path: file.problem for file in store.unreadable}
    assert ("update nightbench" in named.pop(bad)) is spoil.__name__.startswith("newer")
    if (table, spoil) == ("metrics", a_folder):
        assert "metrics are gone" in named.pop(run)
    assert named == {}


@pytest.mark.parametrize("table", READ)
def test_what_is_beside_it_is_read(store: HistoryStore, tmp_path: Path, table: str) -> None:
    good = file_in(tmp_path, table)
    bad = good.with_name("19990101T000000Z-spoiled.parquet")
    bad.write_bytes(b"PAR1 and nothing else PAR1")
    assert len(READ[table](store)) > 0
    of_no_run = table in {"metrics", "windows"}  # never asked for
    assert [file.path for file in store.unreadable] == ([] if of_no_run else [bad])


@pytest.mark.parametrize("table", READ)
def test_a_file_outside_the_layout_is_named(store: HistoryStore, tmp_path: Path, table: str) -> None:
    month = file_in(tmp_path, table).parent
    strays = [tmp_path / table / "stray.parquet", tmp_path / table / "odd" / "s.parquet", month / "notes.txt"]
    for stray in strays:
        stray.parent.mkdir(exist_ok=True)
        stray.write_bytes(b"whatever")
    READ[table](store)
    store.reader.places(form_of(table))
    assert [file.path for file in store.unreadable] == sorted(strays)


def test_a_run_without_its_metrics_is_named(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    metrics, _, run = save(store, websocket_measurement()).paths
    metrics.unlink()
    assert store.nights("local").empty
    assert [file.path for file in store.unreadable] == [run]


def test_metrics_without_a_run_are_no_history(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    save(store, websocket_measurement()).paths[2].unlink()
    assert store.nights("local").empty
    assert store.unreadable == []


@pytest.mark.parametrize("table", ["runs", "windows"])
def test_a_torn_file_is_named_where_only_the_metrics_are_read(
    store: HistoryStore, tmp_path: Path, table: str
) -> None:
    bad = file_in(tmp_path, table)
    torn(bad)
    store.nights("local")
    assert [file.path for file in store.unreadable] == [bad]


class Vanishing(storage.Folder):
    """A folder of which files vanish between listing and reading."""

    gone: tuple[str, ...] = ()

    def read(self, paths):
        for table in self.gone:
            for path in (self.root / table).rglob("*.parquet"):
                path.unlink()
        return super().read(paths)


@pytest.mark.parametrize(("gone", "named"), [(("metrics",), 1), (("runs", "metrics", "windows"), 0)])
def test_a_file_that_vanishes_is_named_unless_its_run_was_pruned(
    store: HistoryStore, tmp_path: Path, gone: tuple[str, ...], named: int
) -> None:
    folder = Vanishing(tmp_path)
    vars(store)["storage"] = folder
    folder.gone = gone
    assert store.nights("local").empty
    assert len(store.unreadable) == named


@pytest.mark.parametrize("table", READ)
def test_what_may_not_be_read_is_named(
    store: HistoryStore, tmp_path: Path, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = storage._content
    bad = file_in(tmp_path, table)

    def refused(path: str, last: int | None = None) -> bytes:
        if path == str(bad):
            raise PermissionError(13, "Permission denied")
        return content(path, last)

    monkeypatch.setattr(storage, "_content", refused)
    READ[table](store)
    store.nights("local")
    assert {file.path: file.problem for file in store.unreadable} == (
        {bad: "cannot be read: permission denied"}
    )


def test_judging_looks_into_the_folders_of_its_suite_and_tier_alone(
    store: HistoryStore, tmp_path: Path
) -> None:
    save(store, websocket_measurement(tier="stress"))
    elsewhere = next((tmp_path / "metrics" / "suite=websocket" / "tier=stress").rglob("*.parquet"))
    elsewhere.write_bytes(b"torn")
    assert len(store.nights("local", suite="websocket", tier="full"))
    assert store.unreadable == []
