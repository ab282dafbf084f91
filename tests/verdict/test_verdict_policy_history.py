"""Where the numbers of the policy stand that are about change points, tails and the host: each is held at its boundary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from judged import METRIC, OTHERS, history, line, noisy, series, tonight

from nightbench.verdict import Policy, judge


def changed(steps: dict[str, tuple[int, float]], *, nights: int = 100, noise: float = 0.01) -> Any:
    """What is said of quiet metrics that change for good: name to first night and factor."""
    frames = []
    for seed, metric in enumerate((METRIC, *OTHERS)):
        values = noisy(nights, noise=noise, seed=seed)
        since, factor = steps.get(metric, (nights, 1.0))
        values[since:] *= factor
        frames.append(series(metric, values))
    frame = pd.concat(frames)
    return frame[frame["night"] < f"night-{nights - 1:03}"], frame[frame["night"] == f"night-{nights - 1:03}"]


@pytest.mark.parametrize(("since", "seen"), [(23, True), (22, False)])
def test_change_points_are_looked_for_in_eighty_nights(since: int, *, seen: bool) -> None:
    """The last 80 of 100 begin with number 20, and a level needs three nights before it."""
    found = judge(*changed({METRIC: (since, 1.5)}, noise=0.002)).changes
    assert [change.night for change in found] == [f"night-{since:03}"] * seen


@pytest.mark.parametrize(("apart", "groups"), [(3, [0, 0]), (4, [0, 1])])
def test_changes_three_nights_apart_are_one(apart: int, groups: list[int]) -> None:
    found = judge(*changed({METRIC: (50, 1.5), OTHERS[0]: (50 + apart, 1.5)}, noise=0.002)).changes
    assert [change.group for change in found] == groups


@pytest.mark.parametrize(("since", "state"), [(89, "regression"), (88, "steady")])
def test_a_change_alerts_until_it_is_ten_nights_old(since: int, state: str) -> None:
    """The other layers are too strict here to have it."""
    deaf = Policy(alpha=1e-15, sustained_alpha=1e-15)
    assert line(judge(*changed({METRIC: (since, 1.12)}), policy=deaf)).state == state


@pytest.mark.parametrize(("asked", "state"), [({}, "too noisy"), ({"most_noise": 0.11}, "steady")])
def test_a_tail_whose_noise_is_above_ten_percent_does_not_gate(asked: dict[str, Any], state: str) -> None:
    wide = 10 * [20 * np.exp(0.1023), 20 * np.exp(-0.1023)]  # 10.5 %
    close = 10 * [20 * np.exp(0.0926), 20 * np.exp(-0.0926)]  # 9.5 %
    policy = Policy(prior_weight=0, **asked)
    said = [
        line(judge(series(METRIC, values), series(METRIC, [20.0], first=20), policy=policy)).state
        for values in (wide, close)
    ]
    assert said == [state, "steady"]


@pytest.mark.parametrize(("tonights", "off"), [(54.95, False), (55.05, True)])
def test_ten_percent_slower_is_a_noisy_host(tonights: float, *, off: bool) -> None:
    cpu = "calibration.cpu_time"
    past = pd.concat([history(20), series(cpu, [50.0] * 20)])
    now = pd.concat([tonight(20, 20.0), series(cpu, [tonights], first=20)])
    assert bool(judge(past, now).notes) is off


@pytest.mark.parametrize(
    ("judgements", "alpha", "state"), [(1, 0, "regression"), (2, 0, "regression"), (2, -1, "steady")]
)
def test_the_level_of_a_change_is_shared_by_the_judgements_of_a_night(
    judgements: int, alpha: int, state: str
) -> None:
    """At a level just above twice the change's own p two judgements have it, at one just below it they have not."""
    before, now = changed({METRIC: (52, 1.065)}, nights=60, noise=0.015)
    p = line(judge(before, now)).p_adjusted
    assert p is not None
    assert line(judge(before, now)).layer == 4
    level = p * 2 * (1.01 if alpha == 0 else 0.99)
    assert line(judge(before, now, policy=Policy(change_alpha=level, judgements=judgements))).state == state


@pytest.mark.parametrize(
    ("factor", "judgements", "state"),
    [
        (1.075, 1, "regression"),
        (1.075, 2, "steady"),
        (1.079, 2, "regression"),
    ],  # p 0.075 %, 0.075 % and 0.03 %
)
def test_a_change_has_to_be_sure_to_a_tenth_of_a_percent(factor: float, judgements: int, state: str) -> None:
    before, now = changed({METRIC: (57, factor)}, nights=60, noise=0.02)
    assert line(judge(before, now, policy=Policy(judgements=judgements))).state == state
