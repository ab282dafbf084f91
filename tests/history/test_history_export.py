"""The dataset as files for other tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from builders import database_measurement, websocket_measurement, with_metric
from test_history_reading import AT, LINES, MARK, NOISE
from test_history_store import save

from nightbench.errors import MeasurementError
from nightbench.history.export import ExportForm, export
from nightbench.history.filters import RunFilter
from nightbench.history.store import HistoryStore

READ: dict[ExportForm, Callable[[Path], pd.DataFrame]] = {
    "csv": pd.read_csv,
    "json": lambda path: pd.DataFrame(json.loads(path.read_text())),
    "parquet": pd.read_parquet,
}
TABLES = ("runs", "metrics", "windows", "verdicts", "marks", "alerts", "noise")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> HistoryStore:
    store = HistoryStore(tmp_path_factory.mktemp("dataset"))
    save(store, with_metric(websocket_measurement(number=0), "message.throughput", None))
    save(store, database_measurement(number=1, role="rerun"))
    store.save_lines(LINES, environment="local", night_id=websocket_measurement().night_id, judged_at=AT)
    store.save_mark(MARK)
    store.save_noise(NOISE, environment="local", at=AT)
    return store


@pytest.mark.parametrize("form", READ)
def test_a_file_has_a_row_for_each_metric(store: HistoryStore, tmp_path: Path, form: ExportForm) -> None:
    (exported,) = export(store, tmp_path / "new" / f"all.{form}")
    found = READ[form](exported.path)
    amount = len(websocket_measurement().metrics) + len(database_measurement().metrics)
    assert len(found) == exported.rows == amount
    assert set(found["role"]) == {"night", "rerun"}
    row = found[found["metric"].eq("message.throughput")].iloc[0]
    assert pd.isna(row["value"])
    assert pd.Timestamp(row["started_at"]) == datetime(2026, 11, 24, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize("form", READ)
def test_a_folder_has_a_file_for_each_table(store: HistoryStore, tmp_path: Path, form: ExportForm) -> None:
    done = export(store, tmp_path / "all", form=form)
    assert [each.path for each in done] == [tmp_path / "all" / f"{table}.{form}" for table in TABLES]
    found = {each.path.stem: READ[form](each.path) for each in done}
    assert {name: len(frame) for name, frame in found.items()} == {each.path.stem: each.rows for each in done}
    assert [len(found[table]) for table in ("runs", "windows", "verdicts", "marks", "noise")] == [
        2,
        16,
        1,
        1,
        1,
    ]
    assert list(found["runs"]["suite"]) == ["websocket", "database"]


def test_only_what_is_about_the_chosen_runs(store: HistoryStore, tmp_path: Path) -> None:
    done = export(store, tmp_path / "part", chosen=RunFilter(suite="database"))
    metrics = len(database_measurement().metrics)
    assert [each.rows for each in done] == [1, metrics, 8, 0, 0, 0, 0]


def test_nothing_is_an_empty_file_and_no_error(tmp_path: Path) -> None:
    done = export(HistoryStore(tmp_path / "nothing"), tmp_path / "out", form="csv")
    assert [each.rows for each in done] == [0] * len(TABLES)


def test_an_ending_and_a_form_that_do_not_agree_are_refused(store: HistoryStore, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"all.csv does not end in .json"):
        export(store, tmp_path / "all.csv", form="json")


def test_a_file_that_cannot_be_written_is_named(store: HistoryStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MeasurementError, match=f"{tmp_path}/file/all.csv could not be written"):
        export(store, tmp_path / "file" / "all.csv")
