"""Which earlier nights count: flags of others, outages, nights after tonight, and pins."""

from __future__ import annotations

import pandas as pd
import pytest
from judged import METRIC, OTHERS, history, line, noisy, series, tonight

from nightbench.verdict import LeftOut, judge
from nightbench.verdict.baseline_set import baseline_set

CPU = "calibration.cpu_time"
NEW = "message.new.p50"
RATE = "message.success_rate"
FLAGGED = "flagged: a regression that nobody has acknowledged"
OTHERS_CAN = "; `nightbench history pin` can name others"
IN_PART = f"{FLAGGED}; counted only for metrics that have too few other nights"


def with_open_regression(*, since: int = 12, nights: int = 30) -> pd.DataFrame:
    """Nights that are flagged for one metric from `since` on, when another one was new."""
    past = history(nights)
    slow = past["night"] >= f"night-{since:03}"
    past.loc[slow & past["metric"].eq(METRIC), "value"] *= 1.3
    past = past.assign(flagged=slow, flagged_own=slow & past["metric"].eq(METRIC))
    new = series(NEW, noisy(nights - since, seed=20), first=since, flagged=True, flagged_own=False)
    return pd.concat([past, new], ignore_index=True)


def now(night: int = 30, new: float = 20.0) -> pd.DataFrame:
    return pd.concat([tonight(night, 26.0), series(NEW, [new], first=night)], ignore_index=True)


def test_a_new_metric_is_judged_though_another_one_of_its_suite_stays_worse() -> None:
    verdict = judge(with_open_regression(), now(new=30.0))
    assert (line(verdict, NEW).state, line(verdict, NEW).nights) == ("suspect", 18)
    assert (line(verdict).layer, line(verdict).nights) == (3, 12)
    assert line(verdict, OTHERS[0]).nights == 12
    assert verdict.left_out == (LeftOut("websocket", "full", 18, IN_PART),)


def test_an_epoch_that_began_after_a_regression_of_another_metric_is_judged_in_time() -> None:
    past, others = with_open_regression(), OTHERS[0]
    epoch = (past["night"].ge("night-015") & past["metric"].eq(others)).astype(int)
    verdict = judge(past.assign(epoch=epoch), now())
    assert (line(verdict, others).state, line(verdict, others).nights) == ("steady", 15)


def test_a_flag_of_its_own_keeps_a_night_out_however_few_there_are() -> None:
    past = with_open_regression()
    own = past["flagged_own"] | (past["metric"].eq(NEW) & past["night"].ge("night-014"))
    assert line(judge(past.assign(flagged_own=own), now()), NEW).nights == 2
    found = judge(past.drop(columns="flagged_own"), now())
    assert line(found, NEW).nights == 0
    assert found.left_out == (LeftOut("websocket", "full", 18, FLAGGED),)


@pytest.mark.parametrize(("unflagged", "nights"), [(9, 18), (10, 10)])
def test_flags_of_others_count_again_once_ten_nights_have_none(unflagged: int, nights: int) -> None:
    past = with_open_regression()
    clean = past["night"].between("night-012", f"night-{11 + unflagged:03}")
    flagged = past["flagged"] & ~clean
    found = judge(past.assign(flagged=flagged, flagged_own=flagged & past["flagged_own"]), now())
    assert line(found, NEW).nights == nights


def test_a_night_that_is_flagged_for_one_metric_alone_is_left_out_of_no_other() -> None:
    past = history(9)
    muted = past["metric"].eq(METRIC) & past["night"].eq("night-004")
    verdict = judge(past.assign(flagged=muted), tonight(9, 20.0))
    assert (line(verdict).nights, line(verdict, OTHERS[0]).nights, verdict.left_out) == (8, 9, ())


def with_outage(*rates: float, nights: int = 12) -> pd.DataFrame:
    """The first nights succeed so often, and where that is never, with a throughput of nothing."""
    past = history(nights, "message.throughput")
    out = [f"night-{night:03}" for night, rate in enumerate(rates) if rate < 50]
    past.loc[past["night"].isin(out) & past["metric"].eq("message.throughput"), "value"] = 0.0
    rate = series(RATE, [*rates, *[100.0] * (nights - len(rates))])
    return pd.concat([past, rate, series("connection.time.p50", noisy(nights, seed=30))], ignore_index=True)


def after_outage() -> pd.DataFrame:
    frames = [tonight(12, 14.0, "message.throughput"), series(RATE, [97.0], first=12)]
    return pd.concat([*frames, series("connection.time.p50", [20.0], first=12)], ignore_index=True)


def test_a_night_in_which_most_of_an_operation_failed_is_no_baseline_of_it() -> None:
    verdict = judge(with_outage(100.0, 0.0, 100.0, 40.0), after_outage())
    found = {metric: line(verdict, metric) for metric in (RATE, "message.throughput", "connection.time.p50")}
    assert {metric: each.nights for metric, each in found.items()} == {
        RATE: 10,
        "message.throughput": 10,
        "connection.time.p50": 12,
    }
    assert (found[RATE].state, found["message.throughput"].state) == ("suspect", "suspect")
    assert verdict.left_out == (LeftOut("websocket", "full", 2, "most of message failed: no baseline of it"),)


@pytest.mark.parametrize(("rate", "state"), [(30.0, "noisy"), (60.0, "improved")])
def test_what_is_left_of_an_operation_that_failed_is_no_improvement(rate: float, state: str) -> None:
    now = pd.concat([tonight(12, 14.0), series(RATE, [rate], first=12)])
    verdict = judge(pd.concat([with_outage(), history(12)]), now)
    assert (line(verdict).state, line(verdict, RATE).state) == (state, "suspect")


def test_an_outage_is_one_of_its_own_suite_and_tier() -> None:
    past, now = with_outage(100.0, 0.0), after_outage()
    past = pd.concat([past, with_outage(100.0, 100.0).assign(suite="other")])
    verdict = judge(past, pd.concat([now, now.assign(suite="other")]))
    assert [line(verdict, RATE, suite).nights for suite in ("websocket", "other")] == [11, 12]


def test_what_fails_in_half_of_the_nights_is_the_normal_state() -> None:
    assert line(judge(with_outage(*[0.0] * 7), after_outage()), RATE).nights == 12
    assert line(judge(with_outage(60.0, 51.0), after_outage()), RATE).nights == 12


@pytest.mark.parametrize(("tonight_is", "begin"), [(26, "3 nights begin"), (28, "1 night begins")])
def test_nights_after_tonight_are_told(tonight_is: int, begin: str) -> None:
    past = history(30)
    now = past["night"].eq(f"night-{tonight_is:03}")
    assert judge(past, past[now]).notes == (
        f"full websocket: {begin} after tonight and not compared: check the clock, if tonight is the last",
    )
    assert judge(past[past["night"] <= f"night-{tonight_is:03}"], past[now]).notes == ()


def test_a_clock_that_was_set_back_is_told_for_the_suite_that_has_the_nights() -> None:
    start = pd.Timestamp("2026-11-01T03:00Z")
    past = pd.concat([history(30), history(20, suite="database")], ignore_index=True)
    past["started_at"] = [start + pd.Timedelta(days=int(night[-3:])) for night in past["night"]]
    both = pd.concat([tonight(30, 20.0), tonight(30, 20.0, suite="database")], ignore_index=True)
    notes = judge(past, both.assign(started_at=start + pd.Timedelta(days=19, hours=1))).notes
    assert notes == (
        "full websocket: 10 nights begin after tonight and not compared: check the clock, if tonight is the last",
    )


@pytest.mark.parametrize(("pinned", "warned"), [(3, True), (9, True), (10, False)])
def test_too_few_pins_say_that_they_silence_the_suite(pinned: int, warned: bool) -> None:
    past = history(40)
    (note,) = judge(past.assign(pinned=past["night"] < f"night-{pinned:03}"), tonight(40, 20.0)).notes
    warning = (
        f"full websocket: only {pinned} pinned nights: no regression can be found until 10 are pinned, or none "
        "(`nightbench history unpin`)"
    )
    assert note == (warning if warned else "full websocket: compared with 10 pinned nights")


@pytest.mark.parametrize(
    ("begun", "metrics", "notes"),
    [
        (
            25,
            [METRIC],
            (
                "compared with 12 pinned nights",
                f"12 pinned nights are of an earlier epoch of {METRIC}: it is compared with 15 nights since night-025"
                + OTHERS_CAN,
            ),
        ),
        (
            10,
            [METRIC, *OTHERS[:2]],
            (
                "compared with 12 pinned nights",
                "10 pinned nights are of an earlier epoch of 3 metrics: these are compared with 2 pinned nights since "
                "night-010" + OTHERS_CAN,
            ),
        ),
        (
            40,
            [METRIC, *OTHERS],
            (
                "no baseline yet: 0 comparable nights, 5 make one; targets only",
                "12 pinned nights are of an earlier epoch of 10 metrics: these are compared with 0 nights since tonight"
                + OTHERS_CAN,
            ),
        ),
    ],
)
def test_pins_of_before_an_epoch_do_not_count_and_that_is_said(begun, metrics, notes) -> None:
    frame = pd.concat([history(40), tonight(40, 20.0)], ignore_index=True)
    accepted = frame["night"].ge(f"night-{begun:03}") & frame["metric"].isin(metrics)
    frame = frame.assign(pinned=frame["night"] < "night-012", epoch=accepted.astype(int))
    ours = frame["night"].eq("night-040")
    assert judge(frame[~ours], frame[ours]).notes == tuple(f"full websocket: {note}" for note in notes)


def test_pinned_nights_are_the_baseline_though_their_host_was_another() -> None:
    past = history(30)
    past = past.assign(pinned=past["night"] < "night-012")
    past = pd.concat([past, series(CPU, [80.0] * 12 + [50.0] * 18, pinned=False)])
    verdict = judge(past, pd.concat([tonight(30, 20.0), series(CPU, [50.0], first=30)]))
    assert (line(verdict).state, line(verdict).nights) == ("steady", 12)
    assert verdict.notes == ("full websocket: compared with 12 pinned nights",)


FOREIGN = {
    "an earlier epoch": ({"epoch": 0}, {"epoch": 1}),
    "another environment": ({"fingerprint": "one"}, {"fingerprint": "another"}),
    "invalid": ({"valid": False}, {}),
    "flagged": ({"flagged": True}, {"flagged": False}),
    "not pinned": ({"pinned": False}, {"pinned": True}),
    "older than the baseline": ({}, {}),
}


@pytest.mark.parametrize("why", FOREIGN)
def test_what_is_not_compared_changes_nothing_however_high_it_was(why: str) -> None:
    then, these_days = FOREIGN[why]
    old = series(METRIC, noisy(60, level=2000.0, seed=1)).assign(**then)
    new = series(METRIC, noisy(30, level=15.0, seed=2), first=60).assign(**these_days)
    now = series(METRIC, [19.0], first=90).assign(**these_days)
    alone = line(judge(new, now))
    assert alone.state == "suspect"
    assert line(judge(pd.concat([old, new]), now)) == alone


def test_what_was_measured_on_another_host_changes_nothing_either() -> None:
    old = pd.concat([series(METRIC, noisy(60, level=2000.0, seed=1)), series(CPU, noisy(60, level=90.0))])
    new = [
        series(METRIC, noisy(30, level=15.0, seed=2), first=60),
        series(CPU, noisy(30, level=50.0), first=60),
    ]
    now = pd.concat([series(METRIC, [19.0], first=90), series(CPU, [50.0], first=90)])
    alone = line(judge(pd.concat(new), now))
    assert (alone.state, line(judge(pd.concat([old, *new]), now))) == ("suspect", alone)


@pytest.mark.parametrize(
    ("value", "state", "why"),
    [
        (0.0, "steady", "zero, as in every earlier night"),
        (3.0, "no baseline", "it was zero in every earlier night: no relative change; hold it by a target"),
    ],
)
def test_what_is_not_compared_keeps_no_zero_from_being_one(value: float, state: str, why: str) -> None:
    old, new = series(METRIC, [5.0] * 20, epoch=0), series(METRIC, [0.0] * 12, first=20, epoch=1)
    found = line(judge(pd.concat([old, new]), series(METRIC, [value], first=32, epoch=1)))
    assert (found.state, found.why) == (state, why)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_zeros_that_are_not_compared_are_no_baseline(value: float) -> None:
    old = series(METRIC, [0.0] * 20, epoch=0)
    found = line(judge(old, series(METRIC, [value], first=20, epoch=1)))
    assert (found.state, found.why) == ("no baseline", "0 nights so far; 5 make a baseline")


def test_the_zeros_of_a_baseline_are_held_against_the_nights_before_it() -> None:
    past = series(METRIC, [5.0] * 10 + [0.0] * 20)
    assert line(judge(past, series(METRIC, [5.0], first=30))).state == "suspect"


def test_what_flagged_nights_had_is_no_zero() -> None:
    past = pd.concat([series(METRIC, [0.0] * 10), series(METRIC, [5.0] * 3, first=10, flagged=True)])
    assert line(judge(past, series(METRIC, [5.0], first=13))).state == "regression"


def test_zeros_that_are_pinned_are_zeros_though_their_host_was_another() -> None:
    past = [series(METRIC, [0.0] * 12, pinned=True), series(CPU, [80.0] * 12 + [50.0] * 18, pinned=False)]
    now = pd.concat([series(METRIC, [0.0], first=30), series(CPU, [50.0], first=30)])
    assert line(judge(pd.concat(past), now)).why == "zero, as in every earlier night"


def test_the_baseline_set_has_the_nights_that_are_compared_with() -> None:
    past = history(40)
    for before in (past, past.assign(pinned=past["night"] < "night-027"), with_open_regression(nights=40)):
        frame = now(40)
        rows, left_out = baseline_set(before, frame)
        verdict = judge(before, frame)
        counted = rows["metric"].value_counts()
        assert {each.metric: each.nights for each in verdict.lines} == {
            each.metric: counted.get(each.metric, 0) for each in verdict.lines
        }
        assert left_out == verdict.left_out
