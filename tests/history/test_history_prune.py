"""Old runs are removed, and never what something is compared with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import START, database_measurement, invalidated, websocket_measurement
from test_history_store import save

from nightbench.errors import MeasurementError
from nightbench.history.filters import RunFilter
from nightbench.history.marks import new_mark
from nightbench.history.pruning import Limits, Pruned, prunable, prune
from nightbench.history.storage import Folder
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
OTHERS = {
    "cal": replace(websocket_measurement(number=2, run_id="c"), night_id="calibrate", role="calibration"),
    "bad": replace(
        invalidated(websocket_measurement(number=4, run_id="b"), "late"),
        night_id="bad",
        started_at=START + timedelta(days=4, hours=1),
    ),
}
"""Runs that make no night."""
NAMES = {measurement.run_id: name for name, measurement in {**RUNS, **OTHERS}.items()}


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


def pruned(
    store: HistoryStore, *, now: datetime = NOW, chosen: RunFilter | None = None, **limits: int
) -> Pruned:
    about = {"now": now, "chosen": chosen or RunFilter()}
    return prune(store, prunable(store, Limits(**limits), **about), **about)


def left(store: HistoryStore) -> set[str]:
    """The runs that are still there, each whole."""
    assert set(store.nights(None)["run_id"]) == set(store.run_ids())
    assert store.unreadable == []
    return {NAMES[run_id] for run_id in store.run_ids()}


@pytest.mark.parametrize(
    ("limits", "removed"),
    [
        pytest.param(
            {"nights": 2}, {"w0", "w1", "w1b", "w2"}, id="nights of each environment, suite and tier"
        ),
        pytest.param({"nights": 4}, {"w0"}, id="a night with all its blocks"),
        pytest.param({"nights": 0}, set(RUNS), id="none"),
        pytest.param({"nights": 99}, set(), id="more than there are"),
        pytest.param({"days": 4}, {"w0", "w1", "w1b", "d0", "s0"}, id="days"),
        pytest.param({"nights": 1, "days": 5}, {"w0"}, id="what either keeps stays"),
        pytest.param({"nights": 0, "chosen": RunFilter(environment="staging")}, {"s0"}, id="a part"),
        pytest.param(
            {"nights": 1, "chosen": RunFilter(suite="database")}, set(), id="limits are of the whole"
        ),
    ],
)
def test_what_is_removed(store: HistoryStore, limits: dict[str, Any], removed: set[str]) -> None:
    chosen = limits.pop("chosen", RunFilter())
    would_be = prunable(store, Limits(**limits), chosen=chosen, now=NOW)
    assert left(store) == set(RUNS)
    done = prune(store, would_be, chosen=chosen, now=NOW)
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
    done = pruned(store, nights=0)
    assert left(store) == kept
    assert {NAMES[run_id] for run_id in done.kept} == kept
    assert all("the best" in why for why in done.kept.values())


@pytest.mark.parametrize(
    "spoil", [lambda mark: mark.write_bytes(b"PAR1"), lambda mark: mark.write_bytes(b"")]
)
def test_while_a_mark_cannot_be_read_nothing_is_removed(
    store: HistoryStore, tmp_path: Path, spoil: Any
) -> None:
    planned = prunable(store, Limits(nights=0))
    mark(store, "pin", "w1")
    (file,) = (tmp_path / "marks").rglob("*.parquet")
    spoil(file)
    with pytest.raises(MeasurementError, match=f"{file.name}.*nothing was removed"):
        prune(store, planned)
    with pytest.raises(MeasurementError, match="nothing was removed"):
        prunable(HistoryStore(tmp_path), Limits(nights=0))
    assert {NAMES[run_id] for run_id in HistoryStore(tmp_path).run_ids()} == set(RUNS)


@pytest.mark.parametrize("limits", [{}, {"nights": -1}, {"days": -1}])
def test_a_limit_has_to_be_said(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="has to be said"):
        Limits(**limits)


def test_what_makes_no_night_is_not_counted_and_goes_with_the_nights_around_it(store: HistoryStore) -> None:
    for measurement in OTHERS.values():
        save(store, measurement)
    mark(store, "invalid", "w3")
    done = pruned(store, nights=2, chosen=RunFilter(suite="websocket"))
    assert {NAMES[run_id] for run_id in done.removed} == {"w0", "w1", "w1b"}
    done = pruned(store, nights=1, chosen=RunFilter(suite="websocket"))
    assert {NAMES[run_id] for run_id in done.removed} == {"w2", "cal", "w3"}
    assert left(store) == {"w4", "bad", "d0", "s0"}


def test_what_is_pinned_while_somebody_is_asked_stays(store: HistoryStore) -> None:
    planned = prunable(store, Limits(nights=4), now=NOW)
    mark(store, "pin", "w0")
    done = prune(store, planned, now=NOW)
    assert (done.removed, list(done.kept)) == ((), [RUNS["w0"].run_id])
    assert left(store) == set(RUNS)


def test_what_is_stored_while_somebody_is_asked_removes_no_more(store: HistoryStore) -> None:
    planned = prunable(store, Limits(nights=4), now=NOW)
    save(store, websocket_measurement(number=5))
    assert prune(store, planned, now=NOW).removed == planned.removed == (RUNS["w0"].run_id,)


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
            pruned(store, nights=4)
    assert left(store) == set(RUNS) - {"w0"}
    assert any(RUNS["w0"].run_id in path.name for path in (tmp_path / "metrics").rglob("*.parquet"))
    age(tmp_path / "metrics", days=2)
    pruned(store, nights=4)
    assert not any(RUNS["w0"].run_id in path.name for path in tmp_path.rglob("*.parquet"))


def age(folder: Path, *, days: float) -> None:
    """Make the files of `folder` so old; what they are about stays."""
    written = NOW.timestamp() - days * 86_400
    for path in folder.rglob("*.*"):
        if path.is_file():
            os.utime(path, (written, written))


@pytest.mark.parametrize(("days", "stays"), [(0.9, True), (1.1, False)])
def test_what_a_crash_left_goes_when_its_files_are_a_day_old(
    store: HistoryStore, tmp_path: Path, days: float, stays: bool
) -> None:
    # the run is of days ago, as one that is measured elsewhere and stored later
    (run,) = (tmp_path / "runs").rglob(f"{RUNS['w0'].run_id}.parquet")
    half_written = run.with_name(f".{run.name}.1-ab.tmp")
    run.rename(half_written)
    age(tmp_path, days=days)
    pruned(store, nights=99)
    assert half_written.exists() is stays
    assert len(list(tmp_path.rglob(f"{RUNS['w0'].run_id}.parquet"))) == 2 * stays
    assert left(store) == set(RUNS) - {"w0"}


def test_while_a_folder_cannot_be_listed_no_file_is_taken_for_a_stray(
    store: HistoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = Folder.entries

    def refused(self: Folder, folder: str) -> Any:
        if folder == "runs/suite=database/tier=full":
            raise PermissionError(13, "Permission denied")
        return entries(self, folder)

    age(tmp_path, days=9)
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "entries", refused)
        pruned(store, nights=99)
    assert set(HistoryStore(tmp_path).nights(None)["run_id"]) == set(HistoryStore(tmp_path).run_ids())
    assert len(HistoryStore(tmp_path).run_ids()) == len(RUNS)


def test_a_run_whose_row_is_torn_is_left_alone(store: HistoryStore, tmp_path: Path) -> None:
    (run,) = (tmp_path / "runs").rglob(f"{RUNS['w0'].run_id}.parquet")
    run.write_bytes(b"torn")
    pruned(store, nights=0, now=NOW + timedelta(days=9999))
    assert len(list(tmp_path.rglob(f"{RUNS['w0'].run_id}.parquet"))) == 3
