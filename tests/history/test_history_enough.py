"""For a judgement no more of the history is read than can matter, and the verdict is the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from builders import HOST, START, invalidated, websocket_measurement

from nightbench.history import tidy
from nightbench.history.fingerprint import fingerprint, text_of
from nightbench.history.marks import new_mark
from nightbench.history.places import path_of
from nightbench.history.rows import file_of, rows_of_run
from nightbench.history.schema import OF_A_RUN, WINDOWS
from nightbench.history.span import Enough
from nightbench.history.store import HistoryStore
from nightbench.measurement import Measurement, Metric
from nightbench.tier_verdict import Earlier, earlier_nights, judge_tier
from nightbench.verdict.judgement import Line, Verdict
from nightbench.verdict.policy import Policy

P95 = "message.response_time.p95"
POLICY = Policy(baseline_nights=5, change_nights=8, least_nights=3, gating_nights=4)
"""So that 13 nights that count are enough."""
NIGHTS, STEP, BLOCKS = 36, 28, (1, 2, 3)
MIDNIGHT = 6
"""The night that ends in another month than it began in."""
OTHER = {**HOST, "cores": 64}


def measured(number: int, block: int = 1, **changes: Any) -> Measurement:
    """A block of a night: noise of a percent, and a step of 20 % at one of the last nights; one metric is mostly zero."""
    level = 40 * (1.2 if number >= STEP else 1) * (1 + 0.01 * ((number * 7 + block) % 5 - 2))
    metrics = (
        Metric(P95, level, "ms", 100),
        Metric("message.throughput", 10.0, "1/s", 100),
        Metric("message.lost", float(number % 9 == 0), "1", 100),
        Metric("calibration.cpu_time", 50 + 0.1 * ((number + block) % 3), "ms", 5),
    )
    night = websocket_measurement(number=number, windows=())
    begun = timedelta(minutes=10 * block, hours=20.5 if number == MIDNIGHT else 0)
    changes = {"block": block, "run_id": f"{night.run_id}-{block}", "metrics": metrics, **changes}
    return replace(night, started_at=night.started_at + begun, windows=(), **changes)


def night(number: int, **changes: Any) -> list[Measurement]:
    return [measured(number, block, **changes) for block in BLOCKS]


TONIGHT = night(NIGHTS)
LIKE = text_of(fingerprint(TONIGHT[0]))


def recorded(number: int) -> Iterator[Measurement]:
    """Every fifth night was on another machine, every seventh is invalid."""
    for block in night(number, host=OTHER if number % 5 == 0 and number < NIGHTS else HOST):
        yield invalidated(block, "late") if number % 7 == 0 else block


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset to copy; it has tonight's runs too, and those of the night after it."""
    root = tmp_path_factory.mktemp("whole")
    no_windows = file_of(WINDOWS, [])
    for run in (run for number in range(NIGHTS + 2) for run in recorded(number)):
        rows = rows_of_run(run, ())
        for form in OF_A_RUN:
            path = root / path_of(form, run.run_id, run.started_at, run.suite, run.tier)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(no_windows if form is WINDOWS else file_of(form, rows[form.name]))
    return root


@pytest.fixture(scope="module")
def everything(whole: Path) -> pd.DataFrame:
    nights = HistoryStore(whole).nights("local")
    return nights[nights["night"].ne(TONIGHT[0].night_id)]


@pytest.fixture
def store(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HistoryStore:
    monkeypatch.setattr(tidy, "_AT_ONCE", 4)  # files, so that nights lie across
    monkeypatch.setattr(tidy, "_LEAST", 4)
    monkeypatch.setattr(Enough, "most", 1)  # twice what is asked for is more
    return HistoryStore(shutil.copytree(whole, tmp_path / "results", copy_function=os.link))


def mark(store: HistoryStore, kind: Any, number: int, block: int = 1) -> None:
    about = measured(number, block)
    store.save_mark(
        new_mark(
            kind, environment="local", suite="websocket", tier="full", run_id=about.run_id, night_id=about.night_id,
            who="ana", why="so it is", at=START + timedelta(days=number, hours=9),
        )
    )  # fmt: skip


def told(store: HistoryStore, number: int, layer: int = 2) -> None:
    since = measured(STEP).night_id if layer == 4 else None
    line = Line(
        "websocket", "full", P95, "regression", higher_is_worse=True, gates=True, floor=0.05, layer=layer, since=since
    )  # fmt: skip
    run = measured(number)
    at = run.started_at + timedelta(hours=2)
    store.save_lines(
        Verdict(lines=(line,)).to_frame(), environment="local", night_id=run.night_id, judged_at=at
    )


SAID: dict[str, Sequence[tuple[Any, Sequence[int], *tuple[int, ...]]]] = {
    "nothing": [],
    "weeks of regressions": [(told, range(24, 36))],
    "the last nights together": [(told, [31], 3)],
    "a change of nights": [(told, [33], 4)],
    "the step is accepted": [(told, [29]), ("accept", [29])],
    "an epoch": [("epoch", [31])],
    "old pins": [("pin", [1, MIDNIGHT], 3), ("pin", [4, 8]), (told, [10], 3)],
    "pins taken back": [("pin", [1, 4]), ("unpin", [1, 4])],
    "nights that were no measurement": [("invalid", range(24, 34))],
}


@pytest.mark.parametrize("said", SAID)
def test_the_verdict_is_that_on_all_nights(store: HistoryStore, everything: pd.DataFrame, said: str) -> None:
    for kind, numbers, *more in SAID[said]:
        for number in numbers:
            told(store, number, *more) if kind is told else mark(store, kind, number, *more)
    some = earlier_nights(store, TONIGHT, POLICY)
    every = Earlier(everything, store.lines("local"), store.marks("local"))
    assert some.nights["night"].nunique() < every.nights["night"].nunique() == NIGHTS + 1
    verdicts = [judge_tier(earlier, TONIGHT, POLICY) for earlier in (some, every)]
    assert verdicts[0].lines == verdicts[1].lines
    assert verdicts[0].changes == verdicts[1].changes
    assert verdicts[0].notes == verdicts[1].notes


def test_what_is_not_settled_is_told_though_tonight_is_another_machine(
    store: HistoryStore, everything: pd.DataFrame
) -> None:
    told(store, NIGHTS - 1)
    tonight = night(NIGHTS, host={**HOST, "cores": 3})
    some = earlier_nights(store, tonight, POLICY)
    every = Earlier(everything, store.lines("local"), [])
    notes = [judge_tier(earlier, tonight, POLICY).notes for earlier in (some, every)]
    assert notes[0] == notes[1]
    assert "is not settled" in " ".join(notes[0])
    assert len(some.nights) < len(every.nights)


def test_what_was_said_of_nights_that_are_too_old_is_left_out(store: HistoryStore) -> None:
    for number in (2, NIGHTS - 2):
        told(store, number)
    mark(store, "pin", 1)
    earlier = earlier_nights(store, TONIGHT, POLICY)
    assert set(earlier.lines["night"]) == {measured(NIGHTS - 2).night_id}


@pytest.fixture
def read(store: HistoryStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The files of metrics that are read."""
    found: list[str] = []
    reading = store.storage.read

    def counted(paths: Any) -> Any:
        for path, content in reading(paths):
            found.extend([path] if path.startswith("metrics/") else [])
            yield path, content

    monkeypatch.setattr(store.storage, "read", counted)
    return found


def test_no_more_is_read_than_that_takes(store: HistoryStore, read: list[str]) -> None:
    earlier_nights(store, TONIGHT, POLICY)
    # 13 and one more, of which every fifth and every seventh does not count, tonight and the night after it
    assert 14 * len(BLOCKS) <= len(read) <= 25 * len(BLOCKS)


def test_files_that_can_be_known_to_be_too_many_are_not_read(
    store: HistoryStore, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidy, "_AT_ONCE", 30)
    monkeypatch.setattr(tidy, "_LEAST", 1)
    asked = Enough(5, measured(NIGHTS + 2).night_id, ["another"], most=11)
    assert store.nights("local", enough=asked)["night"].nunique() == 11
    assert len(read) == 12 * len(BLOCKS)  # of the twelfth some might be missing


def test_of_a_night_on_another_machine_one_row_is_enough(store: HistoryStore) -> None:
    told(store, 33)
    nights = earlier_nights(store, TONIGHT, POLICY).nights
    alike = nights["fingerprint"].eq(LIKE) & nights["valid"]
    assert set(nights[alike].groupby("run_id", observed=True).size()) == {4}
    assert set(nights.loc[~alike, "metric"]) == {P95}  # the first one, and it was told
    assert set(nights[~alike].groupby("run_id", observed=True).size()) == {1}


def test_where_no_night_is_like_tonight_it_looks_back_so_far_and_no_further(store: HistoryStore) -> None:
    tonight = night(NIGHTS, host={**HOST, "cores": 3})
    found = earlier_nights(store, tonight, POLICY).nights["night"].unique()
    assert sum(each < tonight[0].night_id for each in found) == 2 * 13


def test_nights_that_are_alike_and_later_ones_do_not_end_the_search(store: HistoryStore) -> None:
    before = measured(25).night_id
    worse = {measured(number).night_id for number in range(10, 25)}
    enough = Enough(3, before, [LIKE], except_for=worse, most=7)
    found = store.nights("local", enough=enough)
    # 9 8 6 count; seven are of another machine or invalid: 21 20 15 14 10 7 5
    assert min(found["night"]) == measured(6).night_id


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("number", [23, MIDNIGHT])
def test_a_pinned_night_is_read_whole_wherever_it_lies(store: HistoryStore, number: int, block: int) -> None:
    run = measured(number, block)  # the second block of the 23rd is where reading ends
    enough = Enough(8, TONIGHT[0].night_id, [LIKE], pinned={run.run_id: run.night_id}, most=99)
    found = store.nights("local", enough=enough)
    assert set(found.loc[found["night"].eq(run.night_id), "block"]) == set(BLOCKS)
