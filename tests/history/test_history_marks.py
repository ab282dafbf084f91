"""What people say about runs, what was judged and what was calibrated: stored and read back."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nightbench.errors import MeasurementError
from nightbench.history.marks import Mark, new_mark, pinned
from nightbench.history.schema import MARKS, VERDICTS
from nightbench.history.store import HistoryStore
from nightbench.verdict.judgement import Line, Verdict

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
RUN: dict[str, Any] = {
    "environment": "local", "suite": "database", "tier": "full", "run_id": "run", "night_id": "night", "who": "ana",
    "why": "known",
}  # fmt: skip


def mark(kind: Any = "accept", **changes: Any) -> Mark:
    return new_mark(kind, **{**RUN, "at": AT, **changes})


def line(metric: str = "query.throughput", suite: str = "database", **changes: Any) -> Line:
    return Line(
        suite,
        "full",
        metric,
        **{"state": "steady", "higher_is_worse": False, "gates": True, "floor": 0.05, **changes},
    )


def save_lines(
    store: HistoryStore, *lines: Line, night: str = "night", minutes: int = 0, **options: Any
) -> None:
    frame = Verdict(lines=lines).to_frame()
    judged_at = AT + timedelta(minutes=minutes)
    store.save_lines(frame, environment="local", night_id=night, judged_at=judged_at, **options)


def test_a_mark_comes_back_as_it_was_said(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    here = timezone(timedelta(hours=5, minutes=30))
    said = [
        mark(metrics=["b", "a"]),
        mark("mute", until=datetime(2026, 12, 1, tzinfo=here), at=AT + timedelta(seconds=1)),
        mark("epoch", at=AT + timedelta(seconds=2)),
    ]
    for each in reversed(said):
        store.save_mark(each)
    assert store.marks("local") == said
    assert store.marks("local")[1].until == datetime(2026, 11, 30, 18, 30, tzinfo=UTC)
    assert store.marks("elsewhere") == []
    assert store.marks() == said
    assert {field.name for field in fields(Mark)} == set(MARKS.schema.names) - {"schema_version"}


def test_a_mark_lies_in_the_month_in_which_it_was_said(tmp_path: Path) -> None:
    HistoryStore(tmp_path).save_mark(mark())
    (path,) = (tmp_path / "marks").rglob("*.parquet")
    assert path.parent.name == "month=2026-11"
    assert path.name.startswith("20261125T040000Z-accept-")


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("accept", {"who": " "}),
        ("accept", {"why": ""}),
        ("mute", {}),
        ("accept", {"until": AT}),
    ],
)
def test_a_mark_that_says_nothing_is_refused(kind: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a m"):
        mark(kind, **changes)


def test_texts_of_marks_are_cleaned() -> None:
    made = mark(why="it was postgresql://app:hunter2@db/pam \ud800", who="ana\n")
    assert made.why == "it was postgresql://app:***@db/pam ?"
    assert made.who == "ana"


def test_the_last_word_on_a_night_decides_whether_it_is_pinned() -> None:
    said = [
        mark("pin"), mark("pin", night_id="other"), mark("unpin", run_id="another block"), mark("pin", suite="websocket"),
    ]  # fmt: skip
    assert list(pinned(said)) == [
        ("local", "database", "full", "other"),
        ("local", "websocket", "full", "night"),
    ]


def test_every_attribute_of_a_line_is_stored(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    full = line(
        state="regression", layer=2, value=40.0, baseline=50.0, nights=20, effect=-0.2, low=-0.25, high=-0.15, p=1e-9,
        p_adjusted=1e-7, noise=0.02, detectable=0.06, why="slower", since="night", alpha=0.01,
    )  # fmt: skip
    save_lines(store, full, line("pool.wait.p95", state="missing"), run_ids={"database": "the run"})
    assert {field.name for field in fields(Line)} <= {*VERDICTS.schema.names, "suite", "tier"}
    one, missing = store.lines("local").to_dict("records")
    assert {name: one[name] for name in Line.__dataclass_fields__} == {
        name: getattr(full, name) for name in Line.__dataclass_fields__
    }
    assert (one["night"], one["run_id"], one["environment"], one["judged_at"]) == (
        "night",
        "the run",
        "local",
        AT,
    )
    assert all(pd.isna(missing[name]) for name in ("layer", "value", "p", "detectable", "since"))


def test_the_last_judgement_of_a_night_counts(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    save_lines(store, line("a", state="suspect"), line("b"), line("w", suite="websocket"))
    save_lines(store, line("a", state="regression"), minutes=5)
    save_lines(store, line("a"), night="earlier", minutes=9)
    found = store.lines("local")
    assert set(found[["night", "suite", "metric", "state"]].itertuples(index=False, name=None)) == {
        ("night", "database", "a", "regression"),
        ("night", "websocket", "w", "steady"),
        ("earlier", "database", "a", "steady"),
    }
    assert list(store.lines("local", suite="websocket", tier="full")["metric"]) == ["w"]
    assert store.lines("elsewhere").empty


def test_some_columns_of_the_lines_alone(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    save_lines(store, line())
    found = store.lines("local", columns=("metric", "state"))
    assert set(found.columns) == {
        "judgement_id",
        "night",
        "environment",
        "judged_at",
        "metric",
        "state",
        "suite",
        "tier",
    }


def test_a_verdict_without_lines_writes_nothing(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    save_lines(store)
    assert list(tmp_path.iterdir()) == []
    assert "judgement_id" in store.lines("local")


def test_a_column_that_would_be_lost_is_refused(tmp_path: Path) -> None:
    frame = Verdict(lines=(line(),)).to_frame().assign(colour="red")
    with pytest.raises(ValueError, match="no column colour"):
        HistoryStore(tmp_path).save_lines(frame, environment="local", night_id="night")


def test_the_last_calibration_of_each_fingerprint_counts(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    rows = pd.DataFrame(
        [
            {
                "suite": "database",
                "tier": "full",
                "metric": "a",
                "runs": 10,
                "mean": 4.0,
                "within_sd": None,
                "between_sd": 0.1,
            }
        ]
    )
    for day, text in enumerate(["one", "other", "one"]):
        store.save_noise(
            rows.assign(mean=float(day)), environment="local", at=AT + timedelta(days=day), fingerprint=text
        )
    found = store.noise("local", suite="database")
    assert list(zip(found["fingerprint"], found["mean"], strict=True)) == [("other", 1.0), ("one", 2.0)]
    assert found["within_sd"].isna().all()
    assert store.noise("local", suite="websocket").empty


def test_what_cannot_be_saved_names_the_place(tmp_path: Path) -> None:
    (tmp_path / "marks").write_text("in the way")
    (tmp_path / "verdicts").write_text("in the way")
    store = HistoryStore(tmp_path)
    with pytest.raises(MeasurementError, match=f"marks could not be saved in {tmp_path}"):
        store.save_mark(mark())
    with pytest.raises(MeasurementError, match=f"verdicts could not be saved in {tmp_path}"):
        save_lines(store, line())
