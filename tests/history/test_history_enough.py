"""For a judgement no more of the history is read than can matter, and the verdict is the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import HOST, START, invalidated, websocket_measurement

from nightbench import tier_verdict
from nightbench.history import tidy
from nightbench.history.fingerprint import fingerprint, text_of
from nightbench.history.marks import new_mark
from nightbench.history.places import path_of
from nightbench.history.rows import file_of, rows_of_run
from nightbench.history.schema import OF_A_RUN
from nightbench.history.span import Enough
from nightbench.history.store import HistoryStore
from nightbench.measurement import Measurement, Metric
from nightbench.tier_verdict import earlier_nights, judge_tier
from nightbench.verdict.judgement import Line, Verdict
from nightbench.verdict.policy import Policy

P95 = "message.response_time.p95"
POLICY = Policy(baseline_nights=5, change_nights=8, least_nights=3, gating_nights=4)
"""So that 13 nights that count are enough."""
NIGHTS = 45
OTHER = {**HOST, "cores": 64}


def measured(number: int, **changes: Any) -> Measurement:
    """A night: noise of a percent, and a step of 20 % after the 35th."""
    level = 40 * (1.2 if number >= 35 else 1) * (1 + 0.01 * ((number * 7) % 5 - 2))
    metrics = (Metric(P95, level, "ms", 100), Metric("message.throughput", 10.0, "1/s", 100))
    return replace(websocket_measurement(number=number, windows=()), metrics=metrics, windows=(), **changes)


TONIGHT = measured(NIGHTS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset to copy: every fifth night on another machine, every seventh invalid."""
    root = tmp_path_factory.mktemp("whole")
    nights = [measured(number, host=OTHER if number % 5 == 0 else HOST) for number in range(NIGHTS)]
    nights = [invalidated(night, "late") if number % 7 == 0 else night for number, night in enumerate(nights)]
    for night in (*nights, TONIGHT, measured(NIGHTS + 1)):
        rows = rows_of_run(night, ())
        for form in OF_A_RUN:
            path = root / path_of(form, night.run_id, night.started_at, night.suite, night.tier)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file_of(form, rows[form.name]))
    return root


@pytest.fixture
def store(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HistoryStore:
    monkeypatch.setattr(tidy, "_AT_ONCE", 4)
    return HistoryStore(shutil.copytree(whole, tmp_path / "results", copy_function=os.link))


def mark(store: HistoryStore, kind: Any, number: int) -> None:
    about = measured(number)
    store.save_mark(
        new_mark(
            kind, environment="local", suite="websocket", tier="full", run_id=about.run_id, night_id=about.night_id,
            who="ana", why="so it is", at=START + timedelta(days=number, hours=9),
        )
    )  # fmt: skip


def told(store: HistoryStore, number: int, state: Any = "regression") -> None:
    line = Line("websocket", "full", P95, state, higher_is_worse=True, gates=True, floor=0.05, layer=2)
    night = measured(number)
    at = night.started_at + timedelta(minutes=9)
    store.save_lines(
        Verdict(lines=(line,)).to_frame(), environment="local", night_id=night.night_id, judged_at=at
    )


SAID: dict[str, Sequence[tuple[Any, Sequence[int]]]] = {
    "nothing": [],
    "weeks of regressions": [(told, range(20, 45))],
    "the step is accepted": [(told, [37]), ("accept", [37])],
    "an epoch": [("epoch", [40])],
    "old pins": [("pin", [3, 4, 6])],
    "pins taken back": [("pin", [3, 4, 6]), ("unpin", [3, 4, 6])],
    "nights that were no measurement": [("invalid", range(20, 43))],
}


@pytest.mark.parametrize("said", SAID)
def test_the_verdict_is_that_on_all_nights(
    store: HistoryStore, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, numbers in SAID[said]:
        for number in numbers:
            told(store, number) if kind is told else mark(store, kind, number)
    some = earlier_nights(store, [TONIGHT], POLICY)
    monkeypatch.setattr(tier_verdict, "_enough", lambda *_: Enough(999, TONIGHT.night_id, [LIKE], most=999))
    every = earlier_nights(store, [TONIGHT], POLICY)
    assert some.nights["night"].nunique() < every.nights["night"].nunique() == NIGHTS + 1
    verdicts = [judge_tier(earlier, [TONIGHT], POLICY) for earlier in (some, every)]
    assert verdicts[0].lines == verdicts[1].lines
    assert verdicts[0].changes == verdicts[1].changes
    assert verdicts[0].notes == verdicts[1].notes


LIKE = text_of(fingerprint(TONIGHT))


def test_what_is_not_settled_is_told_though_tonight_is_another_machine(
    store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(store, 44)
    tonight = measured(NIGHTS, host={**HOST, "cores": 3})
    some = earlier_nights(store, [tonight], POLICY)
    monkeypatch.setattr(tier_verdict, "_enough", lambda *_: None)
    every = earlier_nights(store, [tonight], POLICY)
    notes = [judge_tier(earlier, [tonight], POLICY).notes for earlier in (some, every)]
    assert notes[0] == notes[1]
    assert "is not settled" in " ".join(notes[0])
    assert len(some.nights) < len(every.nights)


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
    earlier_nights(store, [TONIGHT], POLICY)
    # 13 and one more, of which every fifth and every seventh does not count, tonight and the night after it
    assert 14 <= len(read) <= 28


def test_of_a_night_on_another_machine_one_row_is_enough(store: HistoryStore) -> None:
    told(store, 42)
    nights = earlier_nights(store, [TONIGHT], POLICY).nights
    alike = nights["fingerprint"].eq(LIKE) & nights["valid"]
    assert set(nights[alike].groupby("night").size()) == {2}
    assert set(nights.loc[~alike, "metric"]) == {P95}  # the first one, and it was told
    assert set(nights[~alike].groupby("night").size()) == {1}


def test_where_no_night_is_like_tonight_it_looks_back_so_far_and_no_further(
    store: HistoryStore, read: list[str]
) -> None:
    enough = Enough(5, TONIGHT.night_id, ["another"], most=20)
    assert store.nights("local", enough=enough)["night"].nunique() == 19  # tonight is one of the 20
    assert len(read) < 28
