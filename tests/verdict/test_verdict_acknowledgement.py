"""What marks and stored lines make of nights."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from judged import METRIC, OTHERS, history, line, rows, tonight

from nightbench.history.marks import Mark
from nightbench.verdict import Policy, judge
from nightbench.verdict.acknowledgement import annotated, mute_of

START = datetime(2026, 11, 1, 3, tzinfo=UTC)
NOW = START + timedelta(days=60)
NIGHTS = 20


def at(night: int) -> datetime:
    return START + timedelta(days=night)


def mark(kind: str, night: int, *metrics: str, said: int | None = None, **changes) -> Mark:
    """Said about a night of the WebSocket suite, some hours after night `said`."""
    when = at(night if said is None else said) + timedelta(hours=6)
    plain = Mark(
        mark_id=f"{when:%Y%m%d}",
        kind=kind,
        environment="local",
        suite="websocket",
        tier="full",
        run_id="run",
        night_id=f"night-{night:03}",
        metrics=metrics,
        who="who",
        why="why",
        at=when,
    )
    return replace(plain, **changes)


def told(
    night: int,
    metric: str = METRIC,
    state: str = "regression",
    layer: float = 2.0,
    *,
    since: int | None = None,
) -> dict:
    """A stored line."""
    return {
        "night": f"night-{night:03}",
        "suite": "websocket",
        "tier": "full",
        "metric": metric,
        "state": state,
        "layer": layer,
        "judged_at": at(night) + timedelta(hours=1),
        "since": None if since is None else f"night-{since:03}",
    }


def nights() -> pd.DataFrame:
    both = pd.concat([history(NIGHTS), history(NIGHTS, suite="database")], ignore_index=True)
    return both.assign(started_at=[at(int(night[-3:])) for night in both["night"]])


def said_of(
    *marks: Mark,
    lines: tuple[dict, ...] = (),
    night: int = NIGHTS,
    frame: pd.DataFrame | None = None,
    policy: Policy | None = None,
) -> pd.DataFrame:
    return annotated(
        nights() if frame is None else frame,
        marks,
        pd.DataFrame(list(lines), columns=list(told(0))),
        tonight=f"night-{night:03}",
        now=NOW,
        policy=policy,
    )


def where(frame: pd.DataFrame, column: str, metric: str = METRIC, suite: str = "websocket") -> list[int]:
    """The nights in which a metric has the column set."""
    of_metric = frame[frame["metric"].eq(metric) & frame["suite"].eq(suite)]
    return [int(night[-3:]) for night in of_metric.loc[of_metric[column].astype(bool), "night"]]


def test_nothing_said_changes_nothing() -> None:
    frame = said_of()
    pd.testing.assert_frame_equal(frame[nights().columns.tolist()], nights())
    assert not frame[["flagged", "told", "pinned", "muted", "epoch"]].any(axis=None)


def test_a_regression_flags_its_whole_suite_and_tells_its_metric() -> None:
    frame = said_of(lines=(told(12), told(13, state="suspect"), told(14, state="improved")))
    assert where(frame, "flagged") == where(frame, "flagged", OTHERS[0]) == [12]
    assert where(frame, "told") == [12]
    assert where(frame, "told", OTHERS[0]) == where(frame, "flagged", suite="database") == []
    assert (where(frame, "flagged_own"), where(frame, "flagged_own", OTHERS[0])) == ([12], [])


def test_a_muted_regression_keeps_its_own_metric_out_of_the_baseline() -> None:
    frame = said_of(lines=(told(12, state="muted"),))
    assert (where(frame, "flagged"), where(frame, "flagged", OTHERS[0])) == ([12], [])
    assert (where(frame, "told"), where(frame, "flagged_own")) == ([], [12])


def test_what_the_sustained_layer_looked_at_is_flagged_with_it() -> None:
    frame = said_of(lines=(told(12, layer=3.0),))
    assert (where(frame, "flagged"), where(frame, "flagged", OTHERS[0])) == ([10, 11, 12], [12])
    assert where(frame, "flagged_own") == [10, 11, 12]


@pytest.mark.parametrize(
    ("changed", "flagged"),
    [
        ({"valid": False}, [8, 10, 12]),
        ({"value": float("nan")}, [8, 10, 12]),
        ({"fingerprint": "another"}, [8, 10, 12]),
        ({"role": "calibration"}, [8, 10, 12]),
    ],
)
def test_nights_that_it_could_not_look_at_are_not_flagged_for_it(changed: dict, flagged: list[int]) -> None:
    frame = nights().assign(fingerprint="one", role="night")
    out = frame["night"].isin(["night-009", "night-011"]) & frame["suite"].eq("websocket")
    for column, value in changed.items():
        frame.loc[out, column] = value
    lines = (told(12, layer=3.0),)
    assert where(said_of(lines=lines, frame=frame), "flagged") == flagged
    only = frame[~(frame["metric"].eq(METRIC) & out)]  # nights of the other metrics alone
    assert where(said_of(lines=lines, frame=only), "flagged") == flagged


@pytest.mark.parametrize(("nights", "flagged"), [(1, [12]), (2, [11, 12]), (5, [8, 9, 10, 11, 12])])
def test_how_many_nights_it_looked_at_says_the_policy(nights: int, flagged: list[int]) -> None:
    frame = said_of(lines=(told(12, layer=3.0),), policy=Policy(sustained_nights=nights))
    assert where(frame, "flagged_own") == flagged


def test_a_night_that_was_called_invalid_before_was_not_looked_at() -> None:
    lines = (told(12, layer=3.0),)
    assert where(said_of(mark("invalid", 11, said=11), lines=lines), "flagged") == [9, 10, 12]
    assert where(said_of(mark("invalid", 11, said=13), lines=lines), "flagged") == [10, 11, 12]


def test_what_was_said_of_tonight_and_later_nights_is_not_known_yet() -> None:
    frame = said_of(lines=(told(12), told(15)), night=12)
    assert where(frame, "flagged") == []


def test_accepting_begins_an_epoch_of_the_metric_and_unflags_the_night() -> None:
    frame = said_of(mark("accept", 12, METRIC, said=14), lines=(told(12), told(13), told(14)))
    assert where(frame, "epoch") == list(range(12, NIGHTS))
    assert where(frame, "epoch", OTHERS[0]) == where(frame, "epoch", suite="database") == []
    assert where(frame, "flagged") == where(frame, "told") == where(frame, "flagged", OTHERS[0]) == []


def test_a_night_stays_flagged_for_what_was_not_accepted() -> None:
    frame = said_of(mark("accept", 12, METRIC), lines=(told(12), told(12, OTHERS[0])))
    assert where(frame, "flagged") == []
    assert where(frame, "flagged", OTHERS[0]) == where(frame, "flagged", OTHERS[1]) == [12]


def test_accepting_without_a_name_accepts_all() -> None:
    frame = said_of(mark("accept", 12), lines=(told(12), told(12, OTHERS[0])))
    assert where(frame, "flagged") == where(frame, "flagged", OTHERS[1]) == []
    assert where(frame, "epoch", OTHERS[1]) == list(range(12, NIGHTS))


def test_what_gets_worse_after_it_was_accepted_is_told_again() -> None:
    frame = said_of(mark("accept", 5, METRIC), lines=(told(5), told(17)))
    assert where(frame, "flagged") == where(frame, "told") == [17]


def test_patterns_name_many_metrics_and_brackets_are_themselves() -> None:
    frame = said_of(mark("epoch", 3, "message.other?.*"))
    assert where(frame, "epoch", OTHERS[8]) == list(range(3, NIGHTS))
    assert where(frame, "epoch") == []


def test_an_epoch_unflags_nothing_and_counts_on() -> None:
    frame = said_of(mark("epoch", 3), mark("epoch", 9), lines=(told(12),))
    of_metric = frame[frame["metric"].eq(METRIC) & frame["suite"].eq("websocket")]
    assert of_metric["epoch"].tolist() == [0] * 3 + [1] * 6 + [2] * (NIGHTS - 9)
    assert where(frame, "flagged") == [12]


def test_an_epoch_of_a_night_that_is_not_here_any_more_has_begun() -> None:
    gone = mark("epoch", 0, night_id="night-")  # sorts before all
    assert where(said_of(gone), "epoch") == list(range(NIGHTS))


def test_an_invalid_night_is_no_measurement() -> None:
    frame = said_of(mark("invalid", 12), lines=(told(12),))
    assert where(frame.assign(valid=~frame["valid"]), "valid") == [12]
    assert where(frame.assign(valid=~frame["valid"]), "valid", suite="database") == []


def test_of_pin_and_unpin_the_last_counts() -> None:
    marks = (mark("pin", 3), mark("pin", 4), mark("unpin", 4, said=6), mark("pin", 99))
    assert where(said_of(*reversed(marks)), "pinned") == [3]


@pytest.mark.parametrize(("days", "muted"), [(59, False), (60, False), (61, True)])
def test_a_mute_holds_until_its_date(days: int, muted: bool) -> None:
    frame = said_of(mark("mute", 12, METRIC, until=at(days)))
    assert bool(where(frame, "muted")) is muted
    assert where(frame, "muted", OTHERS[0]) == []


def test_a_later_mute_replaces_an_earlier_one() -> None:
    marks = (mark("mute", 12, METRIC, until=at(90)), mark("mute", 13, METRIC, until=at(20)))
    assert where(said_of(*marks), "muted") == []


def test_of_who_muted_a_metric_until_when_and_why_the_last_word_counts() -> None:
    early = mark("mute", 12, METRIC, until=at(90), why="migration")
    late = mark("mute", 13, METRIC, until=datetime(2027, 1, 2, tzinfo=UTC), who="ada", why="the index comes")
    about = ("websocket", "full")
    assert mute_of([late, early], *about, METRIC) == "muted by ada until 2027-01-02: the index comes"
    assert mute_of([early], *about, METRIC) == "muted by who until 2027-01-30 03:00 UTC: migration"
    assert mute_of([early, mark("accept", 14, OTHERS[0])], *about, OTHERS[0]) == ""


def test_a_regression_that_is_accepted_is_the_new_normal() -> None:
    past = history(30)
    slow = past["metric"].eq(METRIC) & (past["night"] >= "night-015")
    past.loc[slow, "value"] *= 1.3
    lines = tuple(told(night) for night in range(15, 30))
    now = pd.concat([past, tonight(30, 26.0)], ignore_index=True)

    def state(*marks: Mark) -> tuple[str, int]:
        frame = said_of(*marks, lines=lines, night=30, frame=now)
        ours = frame["night"].eq("night-030")
        found = line(judge(frame[~ours], frame[ours], reruns=tonight(30, 26.0)))
        return found.state, found.nights

    assert state() == ("regression", 15)
    assert state(mark("accept", 15, METRIC, said=29)) == ("steady", 15)
    assert state(mark("accept", 28, METRIC, said=29)) == ("no baseline", 2)
    assert state(mark("mute", 29, METRIC, until=NOW + timedelta(days=1))) == ("muted", 15)


def test_a_year_of_blocks_is_annotated_by_night_and_metric() -> None:
    blocks = pd.DataFrame([row for night in range(3) for row in rows(night, METRIC, 20.0, 21.0, 22.0)])
    frame = said_of(mark("pin", 1), night=3, frame=blocks)
    assert frame["pinned"].tolist() == [False] * 3 + [True] * 3 + [False] * 3
