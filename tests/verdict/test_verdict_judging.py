"""What tonight is called beside nights that are enough, its repetitions, and the nights before it."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from judged import METRIC, OTHERS, history, judged, line, noisy, rows, series, tonight

from nightbench.verdict import Policy, Verdict, judge

RATE = "message.success_rate"


@pytest.mark.parametrize(
    ("value", "again", "state", "layer", "why"),
    [
        (20.0, None, "steady", None, ""),
        (24.0, None, "suspect", None, "not repeated"),
        (24.0, 24.2, "regression", 2, "1 repetition tonight: +21.0 %"),
        (24.0, 20.0, "noisy", None, "1 repetition tonight: +0.0 %"),
        (24.0, 20.9, "noisy", None, "1 repetition tonight: +4.5 %"),  # worse, but by less than matters
        (16.0, None, "improved", None, ""),
        (16.0, 24.0, "improved", None, ""),
    ],
)
def test_a_suspect_becomes_a_regression_when_its_repetitions_agree(value, again, state, layer, why) -> None:
    before = pd.concat([history(12)[lambda each: each["metric"] != METRIC], series(METRIC, 20 * spread(12))])
    reruns = None if again is None else tonight(12, again)
    found = line(judge(before, tonight(12, value), reruns=reruns))
    assert (found.state, found.layer, found.why) == (state, layer, why)


def spread(count: int):
    """Factors around 1 whose logarithms add up to nothing."""
    return [0.98, 1 / 0.98] * (count // 2) * pd.Series(1.0, range(count))


@pytest.mark.parametrize(
    ("reruns", "why"),
    [
        (tonight(12, 24.0, suite="database"), "not repeated"),
        (tonight(12, 24.0).assign(valid=False), "its repetitions have no valid value"),
        (tonight(12, None), "its repetitions have no valid value"),
    ],
)
def test_a_suspect_that_could_not_be_repeated_stays_one(reruns: pd.DataFrame, why: str) -> None:
    found = line(judge(history(12), tonight(12, 24.0), reruns=reruns))
    assert (found.state, found.why) == ("suspect", why)


def test_what_counts_of_repetitions_is_their_median() -> None:
    reruns = pd.concat([tonight(12, value) for value in (20.0, 24.0, 24.5)])
    assert line(judge(history(12), tonight(12, 24.0), reruns=reruns)).layer == 2
    reruns = pd.concat([tonight(12, value) for value in (20.0, 20.0, 30.0)])
    assert line(judge(history(12), tonight(12, 24.0), reruns=reruns)).state == "noisy"


def test_less_than_the_floor_never_is_a_regression_however_sure() -> None:
    quiet = history(20, noise=0.001)
    for night, value in enumerate((20.9, 20.9, 20.9), 20):
        found = line(judge(quiet, tonight(night, value), reruns=tonight(night, value)))
        assert found.state == "steady"
        quiet = pd.concat([quiet, tonight(night, value)])
    floor = Policy(effect_floors={"message.response_time.*": 0.02})
    found = line(judge(history(20, noise=0.001), tonight(20, 21.0), policy=floor))
    assert (found.state, found.floor) == ("suspect", 0.02)


def test_repetitions_have_to_pass_the_floor_too_however_sure() -> None:
    quiet = history(20, noise=0.001)
    states = {
        value: line(judge(quiet, tonight(20, 22.0), reruns=tonight(20, value))).state
        for value in (20.95, 21.2)
    }
    assert states == {20.95: "noisy", 21.2: "regression"}


def test_one_percent_of_a_success_rate_matters() -> None:
    before = pd.concat([history(12), series(RATE, [100.0] * 12)])
    states = {
        value: line(
            judge(before, pd.concat([tonight(12, 20.0), pd.DataFrame(rows(12, RATE, value))])), RATE
        ).state
        for value in (100.0, 99.5, 98.8, 0.0)
    }
    assert states == {100.0: "steady", 99.5: "steady", 98.8: "suspect", 0.0: "suspect"}


@pytest.mark.parametrize(
    ("metric", "value", "state"),
    [
        ("message.throughput", 16.0, "suspect"),
        ("message.throughput", 24.0, "improved"),
        ("message.response_time.p50", 16.0, "improved"),
        ("message.response_time.p50", 24.0, "suspect"),
    ],
)
def test_lower_is_worse_where_the_name_says_so(metric: str, value: float, state: str) -> None:
    found = line(judge(history(12, metric), tonight(12, value, metric)), metric)
    assert (found.state, found.higher_is_worse) == (state, metric != "message.throughput")
    assert (found.effect > 0) == (value > 20)
    assert (found.detectable > 0) == found.higher_is_worse


def test_a_policy_overrides_what_names_say() -> None:
    policy = Policy(higher_is_worse={METRIC: False}, gates={"message.other*": False})
    verdict = judge(history(12), tonight(12, 16.0), policy=policy)
    assert line(verdict).state == "suspect"
    assert {line(verdict, other).state for other in OTHERS} == {"informs"}


def test_many_metrics_make_each_harder_to_suspect() -> None:
    value = 21.6
    alone = judge(series(METRIC, noisy(20)), series(METRIC, [value], first=20))
    among = judge(history(20), tonight(20, value))
    assert line(among).p_adjusted == pytest.approx(10 * line(among).p)
    assert line(alone).p_adjusted == line(alone).p
    alpha = 2 * line(among).p_adjusted
    states = [
        line(judge(history(20), tonight(20, value), policy=Policy(alpha=alpha, judgements=tiers))).state
        for tiers in (1, 3)
    ]
    assert states == ["suspect", "steady"]


def found_over(values: list[float], *, before: int = 12, rerun: bool = False) -> list[Verdict]:
    """The verdicts of nights after quiet ones; what is a regression is flagged."""
    past, verdicts = history(before).assign(flagged=False), []
    for night, value in enumerate(values, before):
        now = tonight(night, value)
        verdicts.append(judge(past, now, reruns=now if rerun else None))
        past = pd.concat([past, now.assign(flagged=bool(verdicts[-1].regressions))])
    return verdicts


def test_three_nights_that_are_each_too_little_are_found_together() -> None:
    found = [line(each) for each in found_over([21.3, 21.4, 21.3])]
    assert [each.state for each in found] == ["steady", "regression", "regression"]
    assert {each.layer for each in found[1:]} == {3}  # the second is the median of two and a quiet one
    for each, worse in zip(found[1:], (2, 3), strict=True):
        assert re.fullmatch(
            r"the median of the last 3 nights is \+\d\.\d % against the \d+ before them; "
            rf"{worse} of the 3 are worse by 5 % or more",
            each.why,
        )
        assert each.p < each.p_adjusted <= 0.005


def test_two_bad_nights_that_are_over_are_not_told_on_the_third() -> None:
    assert line(found_over([24.0, 24.0, 20.0])[2]).state == "steady"


def test_a_regression_stays_one_until_it_is_acknowledged() -> None:
    found = found_over([24.0] * 25, rerun=True)
    assert {line(each).state for each in found} == {"regression"}
    assert found[-1].left_out[0].reason == "flagged: a regression that nobody has acknowledged"
    assert found[-1].left_out[0].nights == 24


def test_what_is_muted_is_shown_and_is_no_regression() -> None:
    muted = tonight(12, 24.0).assign(muted=True)
    verdict = judge(history(12).assign(muted=False), muted, reruns=tonight(12, 24.0))
    assert (line(verdict).state, line(verdict).layer, verdict.regressions) == ("muted", 2, ())
    before = judge(history(12).assign(muted=True), tonight(12, 24.0), reruns=tonight(12, 24.0))
    assert line(before).state == "muted"


def test_a_tail_that_is_noise_itself_does_not_gate() -> None:
    noise = [20 * (1.4 if night % 2 else 0.7) for night in range(12)]
    others = history(12)[lambda each: each["metric"] != METRIC]
    found = line(judge(pd.concat([others, series(METRIC, noise)]), tonight(12, 80.0)))
    assert (found.state, found.gates) == ("too noisy", False)
    assert found.why.startswith("its own noise is ")
    median = METRIC.replace("p95", "p50")
    found = line(judge(pd.concat([others, series(median, noise)]), tonight(12, 80.0, median)), median)
    assert found.gates


def test_fewer_blocks_than_the_baselines_nights_are_less_sure() -> None:
    three = pd.concat([history(12).assign(block=block) for block in (1, 2, 3)])
    one = line(judge(three, tonight(12, 22.0)))
    same = line(judge(three, pd.concat([tonight(12, 22.0)] * 3)))
    more = line(judge(three, pd.concat([tonight(12, 22.0)] * 9)))
    assert one.p > same.p == pytest.approx(more.p)
    assert one.high - one.low > same.high - same.low
    assert one.detectable > same.detectable


@pytest.mark.parametrize("worse", [1.12, 1.25])
def test_a_spike_in_the_baseline_neither_hides_nor_makes_a_regression(worse: float) -> None:
    values = list(noisy(20))
    values[7] *= 3
    before = pd.concat([history(20)[lambda each: each["metric"] != METRIC], series(METRIC, values)])
    assert line(judge(before, tonight(20, 20.0))).state == "steady"
    found = line(judge(before, tonight(20, 20 * worse)))
    assert found.state == "suspect"
    assert found.noise < 0.04


def test_all_of_a_line_is_there_for_whoever_asks() -> None:
    found = judged(20, 24.0)
    assert found.baseline == pytest.approx(20, rel=0.02)
    assert found.low < found.effect < found.high
    assert 0 < found.p < found.p_adjusted < 0.01
    assert 0.01 < found.noise < 0.04
    assert 0.05 < found.detectable < 0.2
    frame = judge(history(20), tonight(20, 24.0)).to_frame()
    assert list(frame["metric"]) == [METRIC, *OTHERS]


def test_judging_an_old_night_again_sees_only_what_was_before_it() -> None:
    past = history(30)
    past.loc[past["night"] >= "night-020", "value"] *= 2
    again = judge(past, past[past["night"] == "night-020"])
    assert line(again).nights == 20
    assert line(again).state == "suspect"
