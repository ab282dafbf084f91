"""Old runs are removed, and never what something is compared with."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import START, database_measurement, websocket_measurement
from test_history_store import save

from nightbench.errors import MeasurementError
from nightbench.history.filters import RunFilter
from nightbench.history.marks import new_mark
from nightbench.history.pruning import prune
from nightbench.history.store import HistoryStore
from nightbench.measurement import Measurement

NOW = START + timedelta(days=6)


def second_block(measurement: Measurement) -> Measurement:
    return replace(measurement, run_id=f"{measurement.run_id}-2", block=2)


RUNS = {
    **{f"w{number}": websocket_measurement(number=number) for number in range(5)},
    "w1b": second_block(websocket_measurement(number=1)),
    "d0": database_measurement(number=0),
    "s0": websocket_measurement(number=0, environment="staging", run_id="20261124T031500Z-staging"),
}
NAMES = {measurement.run_id: name for name, measurement in RUNS.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset to copy."""
    root = tmp_path_factory.mktemp("whole")
    for measurement in RUNS.values():
        save(HistoryStore(root), measurement)
    return root


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> HistoryStore:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return HistoryStore(tmp_path)


def mark(store: HistoryStore, kind: Any, name: str, minutes: int = 0) -> None:
    about = RUNS[name]
    store.save_mark(
        new_mark(
            kind, environment=about.environment, suite=about.suite, tier=about.tier, run_id=about.run_id,
            night_id=about.night_id, who="ana", why="the best", at=START + timedelta(minutes=minutes),
        )
    )  # fmt: skip


def left(store: HistoryStore) -> set[str]:
    """The runs that are still there, each whole."""
    assert set(store.nights(None)["run_id"]) == set(store.run_ids())
    assert store.unreadable == []
    return {NAMES[run_id] for run_id in store.run_ids()}


@pytest.mark.parametrize(
    ("limits", "removed"),
    [
        pytest.param({"keep": 2}, {"w0", "w1", "w1b", "w2"}, id="nights of each environment, suite and tier"),
        pytest.param({"keep": 4}, {"w0"}, id="a night with all its blocks"),
        pytest.param({"keep": 0}, set(RUNS), id="none"),
        pytest.param({"keep": 99}, set(), id="more than there are"),
        pytest.param({"keep_days": 4}, {"w0", "w1", "w1b", "d0", "s0"}, id="days"),
        pytest.param({"keep": 1, "keep_days": 5}, {"w0"}, id="what either keeps stays"),
        pytest.param({"keep": 0, "chosen": RunFilter(environment="staging")}, {"s0"}, id="a part"),
        pytest.param({"keep": 1, "chosen": RunFilter(suite="database")}, set(), id="limits are of the whole"),
    ],
)
def test_what_is_removed(store: HistoryStore, limits: dict[str, Any], removed: set[str]) -> None:
    would_be = prune(store, now=NOW, dry_run=True, **limits)
    assert left(store) == set(RUNS)
    done = prune(store, now=NOW, **limits)
    assert {NAMES[run_id] for run_id in done.removed} == removed
    assert left(store) == set(RUNS) - removed
    assert would_be == done


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([("pin", "w1")], {"w1", "w1b"}),
        ([("pin", "w1b")], {"w1", "w1b"}),
        ([("pin", "w1"), ("unpin", "w1b")], set()),
        ([("pin", "w1"), ("unpin", "w1"), ("pin", "w0")], {"w0"}),
        ([("epoch", "w2"), ("accept", "d0")], {"w2", "d0"}),
        ([("invalid", "w2")], set()),
    ],
)
def test_what_something_is_compared_with_stays(
    store: HistoryStore, said: Sequence[tuple[str, str]], kept: set[str]
) -> None:
    for minutes, (kind, name) in enumerate(said):
        mark(store, kind, name, minutes)
    done = prune(store, keep=0, now=NOW)
    assert left(store) == kept
    assert {NAMES[run_id] for run_id in done.kept} == kept
    assert all("the best" in why for why in done.kept.values())


@pytest.mark.parametrize(
    "spoil", [lambda mark: mark.write_bytes(b"PAR1"), lambda mark: mark.write_bytes(b"")]
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_while_a_mark_cannot_be_read_nothing_is_removed(
    store: HistoryStore, tmp_path: Path, spoil: Any, dry_run: bool
) -> None:
    mark(store, "pin", "w1")
    (file,) = (tmp_path / "marks").rglob("*.parquet")
    spoil(file)
    with pytest.raises(MeasurementError, match=f"{file.name}.*nothing was removed"):
        prune(store, keep=0, now=NOW, dry_run=dry_run)
    assert {NAMES[run_id] for run_id in HistoryStore(tmp_path).run_ids()} == set(RUNS)


@pytest.mark.parametrize("limits", [{}, {"keep": -1}, {"keep_days": -1}])
def test_without_a_limit_nothing_is_removed(store: HistoryStore, limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="has to be said"):
        prune(store, **limits)
    assert left(store) == set(RUNS)


def test_a_crash_in_between_leaves_nothing_that_counts(
    store: HistoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = store.storage.remove
    gone: list[str] = []

    def crash(path: str) -> None:
        if len(gone) == 1:
            raise KeyboardInterrupt
        gone.append(path)
        remove(path)

    with monkeypatch.context() as patch:
        patch.setattr(store.storage, "remove", crash)
        with pytest.raises(KeyboardInterrupt):
            prune(store, keep=4, now=NOW)
    assert left(store) == set(RUNS) - {"w0"}
    assert any(RUNS["w0"].run_id in path.name for path in (tmp_path / "metrics").rglob("*.parquet"))
    prune(store, keep=4, now=NOW)
    assert not any(RUNS["w0"].run_id in path.name for path in tmp_path.rglob("*.parquet"))


def test_a_run_that_is_just_being_written_stays(store: HistoryStore, tmp_path: Path) -> None:
    (run,) = (tmp_path / "runs").rglob(f"{RUNS['w4'].run_id}.parquet")
    run.unlink()
    prune(store, keep=99, now=RUNS["w4"].started_at + timedelta(hours=1))
    assert len(list(tmp_path.rglob(f"{RUNS['w4'].run_id}.parquet"))) == 2
    prune(store, keep=99, now=RUNS["w4"].started_at + timedelta(days=2))
    assert list(tmp_path.rglob(f"{RUNS['w4'].run_id}.parquet")) == []


def test_a_run_whose_row_is_torn_is_left_alone(store: HistoryStore, tmp_path: Path) -> None:
    (run,) = (tmp_path / "runs").rglob(f"{RUNS['w0'].run_id}.parquet")
    run.write_bytes(b"torn")
    prune(store, keep=0, now=NOW + timedelta(days=99))
    assert len(list(tmp_path.rglob(f"{RUNS['w0'].run_id}.parquet"))) == 3
