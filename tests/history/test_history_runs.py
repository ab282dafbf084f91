"""Stored runs: listed by what is asked for, and one of them whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import START, database_measurement, invalidated, verdict_of, websocket_measurement, with_metric
from test_history_store import save

from nightbench.errors import ExitCode
from nightbench.history.filters import RunFilter
from nightbench.history.record import record, window_record
from nightbench.history.runs import COLUMNS, NoSuchRunError, UnreadableRunError
from nightbench.history.store import HistoryStore

RUNS = [
    websocket_measurement(number=0),
    websocket_measurement(number=1, environment="staging"),
    invalidated(websocket_measurement(number=2), "too slow"),
    database_measurement(number=2),
    database_measurement(number=3, tier="stress", role="rerun"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> HistoryStore:
    store = HistoryStore(tmp_path_factory.mktemp("runs"))
    for measurement in RUNS:
        save(store, measurement)
    return store


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({}, [0, 1, 3, 2, 4]),
        ({"environment": "staging"}, [1]),
        ({"suite": "database"}, [3, 4]),
        ({"tier": "stress"}, [4]),
        ({"valid": False}, [2]),
        ({"valid": True, "suite": "websocket"}, [0, 1]),
        ({"roles": ("rerun",)}, [4]),
        ({"since": START + timedelta(days=2)}, [3, 2, 4]),
        ({"until": START + timedelta(days=1)}, [0, 1]),
        ({"last": 2}, [2, 4]),
        ({"last": 0}, []),
        ({"run_ids": (RUNS[0].run_id, "nothing")}, [0]),
        ({"night_ids": (RUNS[2].night_id,), "suite": "database"}, [3]),
        ({"environment": "nowhere"}, []),
    ],
)
def test_the_runs_that_are_asked_for(
    store: HistoryStore, asked: dict[str, Any], numbers: Sequence[int]
) -> None:
    found = store.runs(RunFilter(**asked))
    assert list(found["run_id"]) == [RUNS[number].run_id for number in numbers]
    assert tuple(found.columns) == COLUMNS


def test_what_is_said_of_each(store: HistoryStore) -> None:
    row = store.runs(RunFilter(valid=False)).iloc[0]
    assert row["reasons"] == ("too slow",)
    assert (row["suite"], row["tier"], row["role"], row["block"]) == ("websocket", "full", "night", 1)
    assert (bool(row["targets_met"]), bool(row["complete"])) == (True, True)
    assert json.loads(row["fingerprint"])["plan"] == row["plan_hash"]


def test_a_run_comes_back_whole(tmp_path: Path) -> None:
    measurement = with_metric(database_measurement(block=2), "query.throughput", None)
    store = HistoryStore(tmp_path)
    save(store, measurement)
    stored = store.run(measurement.run_id)
    document = stored.document()
    json.dumps(document, allow_nan=False)
    before = record(measurement, verdict_of(measurement).targets)
    before["windows"] = [window_record(window) for window in measurement.windows]
    assert document.pop("fingerprint")["subject"] == "embedded"
    assert document == before
    assert stored.metrics.set_index("name")["value"].isna()["query.throughput"]


@pytest.mark.parametrize("name", [RUNS[0].run_id, RUNS[0].run_id[:-3], "20261124"])
def test_the_beginning_of_an_id_is_enough(store: HistoryStore, name: str) -> None:
    assert store.run(name).run_id == RUNS[0].run_id


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("1999", ()),
        ("20261126", (RUNS[3].run_id, RUNS[2].run_id)),
        ("", tuple(sorted(run.run_id for run in RUNS))),
    ],
)
def test_a_name_of_no_run_or_of_several_lists_those_that_it_may_mean(
    store: HistoryStore, name: str, candidates: tuple[str, ...]
) -> None:
    with pytest.raises(NoSuchRunError) as caught:
        store.run(name)
    assert caught.value.candidates == candidates
    assert caught.value.exit_code is ExitCode.WRONG_USE
    assert all(candidate in str(caught.value) for candidate in candidates)


def test_a_whole_id_is_meant_where_a_longer_one_begins_with_it(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    for run_id in ("20261124T031500Z-a", "20261124T031500Z-ab"):
        save(store, websocket_measurement(run_id=run_id))
    assert store.run("20261124T031500Z-a").run_id == "20261124T031500Z-a"


def test_a_run_that_cannot_be_read_is_told_with_the_file(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    bad = Path(save(store, websocket_measurement()).paths[2])
    bad.write_bytes(b"torn")
    with pytest.raises(UnreadableRunError, match=f"{bad.name}: cannot be read"):
        store.run(bad.stem)
    assert [file.path for file in store.unreadable] == [bad]


def test_the_windows_of_some_runs(store: HistoryStore) -> None:
    found = store.windows([RUNS[0].run_id, RUNS[3].run_id])
    assert found.groupby("run_id").size().to_dict() == {RUNS[0].run_id: 8, RUNS[3].run_id: 8}
    assert store.windows(["nothing"]).empty
