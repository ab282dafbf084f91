"""Earlier runs as one tidy frame: whose they are, in which order, and what of them is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from builders import START, database_measurement, invalidated, websocket_measurement, with_metric
from test_history_store import save

from nightbench.history.fingerprint import fingerprint, text_of
from nightbench.history.store import HistoryStore
from nightbench.history.tidy import COLUMNS, rows_of
from nightbench.measurement import Measurement, Validity


def block_of(number: int, block: int, **changes) -> Measurement:
    """Runs of one night have an id and an instant of their own each."""
    whole = websocket_measurement(number=number, block=block, **changes)
    at = whole.started_at + timedelta(minutes=block)
    return replace(whole, started_at=at, run_id=f"{at:%Y%m%dT%H%M%SZ}-{whole.role}-{block}")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> HistoryStore:
    store = HistoryStore(tmp_path_factory.mktemp("nights"))
    for number in (2, 0, 1):  # saved in any order
        for block in (2, 1):
            save(store, block_of(number, block))
    for measurement in (
        block_of(1, 3, role="rerun"),
        block_of(1, 4, role="calibration"),
        invalidated(websocket_measurement(number=3), "too slow"),
        websocket_measurement(number=4, validity=Validity(complete=False)),
        websocket_measurement(number=5, environment="staging"),
        websocket_measurement(number=40),
        database_measurement(number=1),
        database_measurement(number=1, tier="stress"),
    ):
        save(store, measurement)
    assert store.unreadable == []
    return store


def night(number: int) -> str:
    return websocket_measurement(number=number).night_id


def nights_of(frame: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(frame["night"]))


def test_they_come_oldest_first_with_the_blocks_of_a_night_together(store: HistoryStore) -> None:
    found = store.nights("local", suite="websocket")
    assert nights_of(found) == [night(number) for number in (0, 1, 2, 3, 4, 40)]
    assert found["started_at"].is_monotonic_increasing
    of_one = found[found["night"].eq(night(1))]
    assert list(of_one["block"].unique()) == [1, 2]
    assert of_one.groupby(["suite", "tier", "metric", "block"]).size().eq(1).all()


def test_a_run_that_was_invalid_or_incomplete_is_there_and_says_so(store: HistoryStore) -> None:
    found = store.nights("local", suite="websocket")
    assert set(found.loc[~found["valid"], "night"]) == {night(3), night(4)}


def test_other_environments_suites_and_tiers_are_left_out(store: HistoryStore) -> None:
    assert set(store.nights("local")["suite"]) == {"websocket", "database"}
    assert set(store.nights("local", suite="database")["tier"]) == {"full", "stress"}
    assert set(store.nights("local", suite="database", tier="stress")["tier"]) == {"stress"}
    assert nights_of(store.nights("staging")) == [night(5)]
    assert set(store.nights(None)["environment"]) == {"local", "staging"}
    assert store.nights("nowhere").empty


def test_reruns_and_calibrations_come_when_they_are_asked_for(store: HistoryStore) -> None:
    assert set(store.nights("local")["role"]) == {"night"}
    reruns = store.nights("local", roles=("rerun",))
    assert (set(reruns["night"]), set(reruns["block"])) == ({night(1)}, {3})
    both = store.nights("local", roles=("night", "calibration"))
    assert set(both["role"]) == {"night", "calibration"}


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        pytest.param({"since": START + timedelta(days=2)}, [2, 3, 4, 40], id="since"),
        pytest.param({"until": START + timedelta(days=1, minutes=2)}, [0, 1], id="until, included"),
        pytest.param(
            {"since": START + timedelta(days=1), "until": START + timedelta(days=2)}, [1], id="both"
        ),
        pytest.param({"since": START + timedelta(days=30)}, [40], id="a later month"),
        pytest.param({"last": 2}, [4, 40], id="the last"),
        pytest.param({"last": 99}, [0, 1, 2, 3, 4, 40], id="more than there are"),
        pytest.param({"last": 0}, [], id="none"),
    ],
)
def test_a_part_of_them(store: HistoryStore, asked: dict[str, object], numbers: Sequence[int]) -> None:
    found = store.nights("local", suite="websocket", **asked)  # type: ignore[arg-type]
    assert nights_of(found) == [night(number) for number in numbers]


def test_the_last_nights_are_read_without_the_others(store: HistoryStore, monkeypatch) -> None:
    read: list[str] = []
    whole = store.storage.read
    monkeypatch.setattr("nightbench.history.tidy._AT_ONCE", 2)
    monkeypatch.setattr(
        store.storage, "read", lambda paths: whole([read.append(path) or path for path in paths])
    )
    assert nights_of(store.nights("local", suite="websocket", last=1)) == [night(40)]
    assert len(read) == 4


def test_a_measurement_in_memory_has_the_rows_that_it_will_have_when_stored(tmp_path: Path) -> None:
    measurement = with_metric(invalidated(block_of(1, 2), "too slow"), "message.throughput", None)
    store = HistoryStore(tmp_path)
    save(store, measurement)
    stored, own = store.nights("local"), rows_of(measurement)
    pd.testing.assert_frame_equal(stored, own, check_categorical=False)
    assert stored["value"].isna().sum() == 1
    assert set(stored["fingerprint"]) == {text_of(fingerprint(measurement))}


def test_without_a_history_the_frame_is_empty_but_whole(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path / "nothing")
    found = store.nights("local")
    assert (len(found), tuple(found.columns)) == (0, COLUMNS)
    assert list(map(str, found.dtypes)) == list(map(str, rows_of(websocket_measurement()).dtypes))
    assert not (tmp_path / "nothing").exists()
