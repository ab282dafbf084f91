"""Layer 4: changes of the past that are noted, and those that nobody was told of."""

from __future__ import annotations

import pandas as pd
import pytest
from judged import METRIC, OTHERS, line, noisy, series, tonight

from nightbench.verdict import Policy, Verdict, judge


def changed(
    steps: dict[str, tuple[int, float]], *, nights: int = 60, noise: float = 0.02, **columns
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """History and tonight of metrics that change for good: name to first night and factor."""
    frames = []
    for seed, metric in enumerate((METRIC, *OTHERS)):
        values = noisy(nights, noise=noise, seed=seed)
        since, factor = steps.get(metric, (nights, 1.0))
        values[since:] *= factor
        frames.append(series(metric, values, **columns))
    frame = pd.concat(frames)
    now = frame["night"] == f"night-{nights - 1:03}"
    return frame[~now], frame[now]


def state(verdict: Verdict) -> tuple[str, int | None]:
    return line(verdict).state, line(verdict).layer


def test_a_change_is_noted_with_its_night_age_and_effect() -> None:
    verdict = judge(*changed({METRIC: (40, 1.2)}))
    (change,) = verdict.changes
    assert (change.metric, change.night, change.age) == (METRIC, "night-040", 19)
    assert change.point.effect == pytest.approx(0.2, abs=0.03)
    assert change.point.worse


def test_nights_of_another_tier_make_a_change_no_older() -> None:
    earlier, now = changed({METRIC: (40, 1.2)})
    others = earlier[earlier["night"] > "night-050"].assign(tier="quick")
    others["night"] += "-quick"
    (change,) = judge(pd.concat([earlier, others]), now).changes
    assert change.age == 19


def test_nights_of_the_other_suite_alone_make_a_change_no_older() -> None:
    earlier, now = changed({METRIC: (40, 1.2), OTHERS[0]: (42, 1.2)})
    alone = earlier["night"].isin(["night-041", "night-050", "night-051"])
    both = [frame.assign(suite="database") for frame in (earlier, now)]
    verdict = judge(pd.concat([earlier[~alone], both[0]]), pd.concat([now, both[1]]))
    found = {(each.suite, each.metric): (each.age, each.group) for each in verdict.changes}
    assert found == {
        ("websocket", METRIC): (16, 0),
        ("websocket", OTHERS[0]): (15, 0),
        ("database", METRIC): (19, 0),
        ("database", OTHERS[0]): (17, 0),
    }


def test_changes_that_began_together_are_one_group() -> None:
    steps = {METRIC: (20, 1.2), OTHERS[0]: (23, 0.8), OTHERS[1]: (40, 1.3), OTHERS[2]: (42, 1.2)}
    verdict = judge(*changed(steps))
    groups = {change.metric: change.group for change in verdict.changes}
    assert groups == {METRIC: 0, OTHERS[0]: 0, OTHERS[1]: 1, OTHERS[2]: 1}
    ages = [change.age for change in verdict.changes]
    assert ages == sorted(ages, reverse=True)


SMALL = {METRIC: (52, 1.065)}
"""Seven nights before tonight, a little more than matters: too little for two nights or three."""


@pytest.fixture(scope="module")
def small() -> tuple[pd.DataFrame, pd.DataFrame]:
    return changed(SMALL, noise=0.015)


def test_a_young_change_that_no_other_layer_sees_is_told(small) -> None:
    verdict = judge(*small)
    assert state(verdict) == ("regression", 4)
    assert line(verdict).why == "worse since night-052, 7 nights ago"


def test_it_is_not_told_twice(small) -> None:
    before, now = small
    flagged = before["night"].eq("night-057")
    assert state(judge(before.assign(flagged=flagged), now))[0] == "steady"
    other = before.assign(flagged=flagged, told=flagged & before["metric"].ne(METRIC))
    assert state(judge(other, now)) == ("regression", 4)  # what was told was another metric


@pytest.mark.parametrize(("night", "found"), [(51, "steady"), (49, "steady"), (48, "regression")])
def test_a_change_that_was_told_some_nights_before_its_point_is_not_told_again(
    small, night: int, found: str
) -> None:
    before, now = small
    told = before["night"].eq(f"night-{night:03}") & before["metric"].eq(METRIC)
    before = before.assign(value=before["value"].where(~told, 21.5), flagged=told)
    assert state(judge(before, now))[0] == found


def test_what_was_told_of_an_older_step_is_not_the_new_one(small) -> None:
    before, now = small
    slower, told = before["night"] >= "night-040", before["night"].eq("night-050")
    factor = 1 + 0.1 * (slower & before["metric"].eq(METRIC))
    before = before.assign(value=before["value"] * factor, told=told, flagged=False)
    verdict = judge(before, now.assign(value=now["value"] * (1 + 0.1 * now["metric"].eq(METRIC))))
    assert [change.night for change in verdict.changes if change.metric == METRIC][-1] >= "night-051"
    assert state(verdict) == ("regression", 4)


@pytest.mark.parametrize(("before", "found"), [(4, None), (5, 4), (9, 4)])
def test_a_change_among_the_provisional_nights_is_told_once_there_are_ten(
    before: int, found: int | None
) -> None:
    earlier, now = changed({METRIC: (before, 1.3)}, nights=before + 8, noise=0.01)
    assert state(judge(earlier, now))[1] == found


def test_what_layer_4_says_of_how_sure_it_is_is_its_own(small) -> None:
    found = line(judge(*small))
    assert found.p < 1e-4
    assert found.p_adjusted == pytest.approx(10 * found.p)
    alone = line(judge(*small, policy=Policy(change_alpha=1e-9)))
    assert alone.p > 0.01
    assert (alone.effect, alone.nights) == (found.effect, found.nights)


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (Policy(change_age=6), "steady"),
        (Policy(change_alpha=1e-9), "steady"),
        (Policy(change_p=1e-30), "steady"),
        (Policy(effect_floor=0.1), "steady"),
        (Policy(gates={METRIC: False}), "informs"),
    ],
)
def test_it_is_not_told_when_it_is_old_or_small_or_unsure(small, policy: Policy, found: str) -> None:
    assert state(judge(*small, policy=policy))[0] == found


@pytest.mark.parametrize(
    ("metric", "found"), [(METRIC, ("noisy", None)), ("message.reply_chars.p50", ("regression", 4))]
)
def test_a_slower_host_tonight_excuses_what_it_explains_alone(
    small, metric: str, found: tuple[str, int | None]
) -> None:
    before, now = (frame.assign(metric=frame["metric"].replace(METRIC, metric)) for frame in small)
    cpu = series("calibration.cpu_time", noisy(59, level=50.0, noise=0.01, seed=3))
    slow = series("calibration.cpu_time", [60.0], first=59)
    said = line(judge(pd.concat([before, cpu]), pd.concat([now, slow])), metric)
    assert (said.state, said.layer) == found


def test_a_change_for_the_better_is_noted_and_not_told() -> None:
    verdict = judge(*changed({METRIC: (52, 0.92)}, noise=0.015))
    assert [change.point.worse for change in verdict.changes] == [False]
    assert state(verdict)[0] in {"steady", "improved"}


def test_invalid_nights_are_no_part_of_a_series_and_flagged_ones_are() -> None:
    before, now = changed({METRIC: (40, 1.2)})
    half = before["night"].between("night-040", "night-049")
    assert [change.night for change in judge(before.assign(valid=~half), now).changes] == ["night-050"]
    assert [change.night for change in judge(before.assign(flagged=half), now).changes] == ["night-040"]


def test_a_series_begins_with_the_epoch() -> None:
    before, now = changed({METRIC: (40, 1.2)})
    verdict = judge(before.assign(epoch=(before["night"] >= "night-040").astype(int)), now.assign(epoch=1))
    assert verdict.changes == ()


def test_only_the_last_nights_are_looked_at() -> None:
    assert judge(*changed({METRIC: (10, 1.2)}), policy=Policy(change_nights=45)).changes == ()


def test_a_metric_that_tonight_lacks_is_not_told_of(small) -> None:
    assert state(judge(small[0], tonight(59, None)))[0] == "missing"


@pytest.mark.parametrize(("good", "bad", "since_fixed"), [(20, 8, 1), (20, 8, 2), (6, 4, 1)])
def test_the_night_of_the_mend_is_no_regression(good: int, bad: int, since_fixed: int) -> None:
    values = noisy(good + bad + since_fixed, noise=0.02, seed=3)
    values[good : good + bad] *= 1.3
    frame = series(METRIC, values)
    now = frame["night"] == frame["night"].max()
    assert judge(frame[~now], frame[now]).regressions == ()
