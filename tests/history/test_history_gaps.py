"""Files that say too little: each is skipped and named, and nothing crashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_history_reading import READ, file_in

from nightbench.history.reading import UnreadableFile
from nightbench.history.store import HistoryStore, UnreadableRunError


def with_value(path: Path, column: str, value: Any) -> Path:
    """Write a file anew with `value` in all rows of a column."""
    table = pq.ParquetFile(path).read()
    place = table.schema.get_field_index(column)
    values = pa.array([value] * len(table), table.schema.field(column).type)
    pq.write_table(table.set_column(place, column, values), path)
    return path


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *(("runs", column) for column in ("run_id", "night_id", "environment", "started_at", "role")),
        *(("metrics", column) for column in ("night_id", "environment", "started_at", "role", "name")),
        ("windows", "operation"),
        *(("verdicts", column) for column in ("night_id", "environment", "judged_at", "metric", "state")),
        *(("noise", column) for column in ("environment", "at", "metric")),
        *(("marks", column) for column in ("kind", "environment", "suite", "night_id", "at")),
    ],
)
def test_rows_that_do_not_say_what_they_are_about_are_named(
    store: HistoryStore, tmp_path: Path, table: str, column: str
) -> None:
    bad = with_value(file_in(tmp_path, table), column, None)
    assert len(READ[table](store)) == 0
    assert store.unreadable == [UnreadableFile(bad, f"has rows without {column}")]


@pytest.mark.parametrize("table", READ)
def test_a_file_without_rows_is_named_unless_it_may_have_none(
    store: HistoryStore, tmp_path: Path, table: str
) -> None:
    bad = file_in(tmp_path, table)
    pq.write_table(pq.ParquetFile(bad).read().slice(0, 0), bad)
    assert len(READ[table](store)) == 0
    assert store.unreadable == ([] if table == "windows" else [UnreadableFile(bad, "has no rows")])


def test_a_mark_of_an_unknown_kind_is_named(store: HistoryStore, tmp_path: Path) -> None:
    bad = with_value(file_in(tmp_path, "marks"), "kind", "bless")
    assert store.marks() == []
    assert store.unreadable == [UnreadableFile(bad, "has a mark of an unknown kind: 'bless'")]


@pytest.mark.parametrize("column", ["plan", "subject", "host", "packages", "operations", "details"])
@pytest.mark.parametrize("text", ["[1]", "3", '"x"', "no JSON", ""])
def test_a_run_whose_json_is_none_is_named(
    store: HistoryStore, tmp_path: Path, column: str, text: str
) -> None:
    bad = with_value(file_in(tmp_path, "runs"), column, text)
    assert len(store.runs()) == 1
    if not text:
        assert store.run("2026").document()["run_id"] == bad.stem
        return
    with pytest.raises(UnreadableRunError, match=f"{bad.name}: its {column} is no JSON object; move it away"):
        store.run("2026")
    assert store.unreadable == [UnreadableFile(bad, f"its {column} is no JSON object")]


def test_a_mark_that_somebody_else_wrote_moves_no_cursor(store: HistoryStore, tmp_path: Path) -> None:
    hostile = "a\x1b]0;title\x07b\x1b[2Jc\u202ed\x9b1me\rf"
    with_value(file_in(tmp_path, "marks"), "why", hostile)
    with_value(file_in(tmp_path, "marks"), "who", hostile)
    (mark,) = store.marks()
    assert (mark.who, mark.why) == ("abcde f", "abcde f")
