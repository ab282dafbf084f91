"""A regression that nobody settled does not vanish with its baseline."""

from __future__ import annotations

import pandas as pd
import pytest
from judged import METRIC, OTHERS, history, tonight

from nightbench.verdict import judge

OLD, NEW = '{"kernel":"6.8"}', '{"kernel":"6.1"}'


def past(*, told: tuple[int, ...] = (20, 21, 22), metrics: tuple[str, ...] = (METRIC,), nights: int = 23):
    """Nights of which some told regressions."""
    frame = history(nights, fingerprint=OLD)
    worse = frame["night"].isin([f"night-{night:03}" for night in told])
    own = worse & frame["metric"].isin(metrics)
    return frame.assign(flagged=worse, flagged_own=own, told=own)


def moved(frame: pd.DataFrame, since: int) -> pd.DataFrame:
    """The same, from a night on in another environment and with nothing told any more."""
    after = frame["night"] >= f"night-{since:03}"
    frame = frame.assign(**{name: frame[name] & ~after for name in ("flagged", "flagged_own", "told")})
    return frame.assign(fingerprint=frame["fingerprint"].where(~after, NEW))


def said(frame: pd.DataFrame, night: int, **columns) -> list[str]:
    columns = {"fingerprint": NEW, **columns}
    notes = judge(frame, tonight(night, 26.0, **columns)).notes
    return [note for note in notes if "settled" in note]


def about(metric: str, why: str, night: int = 22) -> str:
    return (
        f"full websocket: {metric} was a regression on night-{night:03}, and is not settled: "
        f"its baseline is gone ({why})"
    )


@pytest.mark.parametrize("later", [0, 4, 9])
def test_another_environment_settles_nothing(later: int) -> None:
    frame = moved(past(nights=23 + later), 23)
    assert said(frame, 23 + later) == [about(METRIC, "kernel 6.1 instead of 6.8")]


def test_what_can_be_compared_again_is_judged_and_needs_no_note() -> None:
    assert said(moved(past(nights=33), 23), 33) == []
    assert said(past(), 23, fingerprint=OLD) == []


@pytest.mark.parametrize(("last", "open_"), [(20, True), (19, False)])
def test_what_was_over_before_is_not_told_again(last: int, open_: bool) -> None:
    assert bool(said(past(told=(last,)), 23)) is open_


def test_what_was_acknowledged_is_not_told_again() -> None:
    frame = past()
    assert said(frame.assign(told=False), 23) == []
    assert said(frame.assign(epoch=0), 23, epoch=1) == []
    assert said(frame.assign(pinned=frame["night"] < "night-005"), 23, fingerprint=OLD) == []


def test_a_prune_of_the_nights_before_settles_nothing() -> None:
    frame = past(nights=27)
    kept = frame[frame["night"] >= "night-018"]
    assert said(kept, 27, fingerprint=OLD) == [
        about(METRIC, "none of the nights looked at is from before it")
    ]


def test_a_host_that_changed_settles_nothing() -> None:
    frame = past(nights=32)
    frame = moved(frame, 23).assign(fingerprint=OLD)
    after = frame["night"] >= "night-023"
    cpu = frame[frame["metric"].eq(OTHERS[0])].assign(metric="calibration.cpu_time")
    cpu["value"] = 50 * cpu["value"] / 20 * after[cpu.index].map({True: 1.5, False: 1.0})
    now = pd.concat([tonight(32, 26.0), tonight(32, 75.0, "calibration.cpu_time").iloc[:1]])
    notes = judge(pd.concat([frame, cpu]), now.assign(fingerprint=OLD)).notes
    assert about(METRIC, "the host is not what it was") in notes


def test_a_few_are_named_and_the_others_counted() -> None:
    notes = said(past(metrics=(METRIC, *OTHERS[:4])), 23)
    assert [note.split()[2] for note in notes[:3]] == [OTHERS[3], OTHERS[2], OTHERS[1]]
    assert notes[3:] == ["full websocket: 2 more are not settled"]


def test_a_night_that_is_invalid_says_so_alone() -> None:
    assert said(past(), 23, valid=False) == []
