"""Nights in which the host itself was off: what that excuses, and what it does not."""

from __future__ import annotations

import pandas as pd
import pytest
from judged import METRIC, history, line, noisy, series, tonight

from nightbench.verdict import Policy, Verdict, judge

CPU, ECHO, FSYNC = (f"calibration.{work}_time" for work in ("cpu", "echo", "fsync"))
THROUGHPUT = "message.throughput"


def verdict(
    calibrations: list[float | None],
    *,
    value: float = 24.0,
    again: float | None = 24.0,
    metric: str = METRIC,
    of: str = CPU,
    suite: str = "websocket",
    policy: Policy | None = None,
) -> Verdict:
    """Nights with these calibrations, the last of them tonight, in which the metric is worse."""
    last = len(calibrations) - 1
    past = pd.concat([history(last, metric, suite=suite), series(of, calibrations[:-1], suite=suite)])
    now = pd.concat(
        [tonight(last, value, metric, suite=suite), series(of, calibrations[-1:], first=last, suite=suite)]
    )
    reruns = None if again is None else tonight(last, again, metric, suite=suite)
    return judge(past, now, reruns=reruns, policy=policy)


def quiet(count: int, level: float = 50.0, noise: float = 0.01) -> list[float]:
    return list(noisy(count, level=level, noise=noise, seed=5))


def is_off(found: Verdict) -> bool:
    return any("noisy host" in note for note in found.notes)


def test_what_a_slower_host_explains_is_no_regression() -> None:
    found = verdict([*quiet(12), 60.0])
    assert (line(found).state, line(found).why) == ("noisy", "the host itself was off tonight")
    assert found.regressions == ()
    (note,) = found.notes
    assert note.startswith(
        "full websocket: noisy host: calibration.cpu_time is +20 % off its median of 12 nights"
    )
    assert note.endswith("what a slower host explains is no regression tonight")


@pytest.mark.parametrize("again", [36.0, None])
def test_what_it_does_not_explain_is_one(again: float | None) -> None:
    found = line(verdict([*quiet(12), 56.0], value=36.0, again=again))
    assert found.state == ("suspect" if again is None else "regression")
    assert found.why.startswith("not repeated" if again is None else "1 repetition tonight: +7")
    assert "; a host this slow explains +2" in found.why


@pytest.mark.parametrize(
    ("value", "state"),
    [(26.5, "noisy"), (30.0, "regression")],  # at half load, +12 % on the host is +25 % for a user
)
def test_a_slower_host_explains_the_square_of_what_it_lost(value: float, state: str) -> None:
    assert line(verdict([*quiet(12), 56.0], value=value, again=value)).state == state


def test_of_a_throughput_it_explains_a_fall() -> None:
    found = [
        line(verdict([*quiet(12), 60.0], value=value, again=value, metric=THROUGHPUT), THROUGHPUT)
        for value in (17.0, 10.0)
    ]
    assert [each.state for each in found] == ["noisy", "regression"]
    assert "a host this slow explains −" in found[1].why


@pytest.mark.parametrize(
    ("metric", "value", "state"),
    [
        ("connection.time.p50", 28.0, "noisy"),
        ("pool.wait.p95", 28.0, "noisy"),
        ("login.wait", 28.0, "noisy"),
        (THROUGHPUT, 17.0, "noisy"),
        (THROUGHPUT, 15.0, "regression"),  # −25 % is the square
        ("orders.per_second", 15.0, "regression"),
        ("message.success_rate", 17.0, "regression"),
        ("cache.hit_ratio", 17.0, "regression"),
        ("login.failures", 24.0, "regression"),
        ("login.timeouts", 24.0, "regression"),
    ],
)
def test_a_slower_host_explains_times_by_the_square_and_throughputs_and_nothing_else(
    metric: str, value: float, state: str
) -> None:
    found = verdict([*quiet(12), 60.0], value=value, again=value, metric=metric)
    assert line(found, metric).state == state


@pytest.mark.parametrize(
    ("metric", "value", "state"),
    [
        ("query.commit_time.p95", 45.0, "noisy"),  # 60 % more by the square is 2.56 times
        ("query.commit_time.p95", 60.0, "regression"),
        ("query.response_time.p95", 30.0, "noisy"),
        ("query.response_time.p95", 45.0, "regression"),
        ("query.service_time.p95", 30.0, "noisy"),
        ("query.throughput", 13.0, "noisy"),
        ("query.throughput", 9.0, "regression"),
        ("query[listing].execute_time.p50", 24.0, "regression"),
        ("query.success_rate", 17.0, "regression"),
        ("login.time", 24.0, "regression"),
    ],
)
def test_a_slower_disk_explains_what_commits_are_part_of(metric: str, value: float, state: str) -> None:
    found = verdict([*quiet(12), 80.0], value=value, again=value, metric=metric, of=FSYNC, suite="database")
    assert line(found, metric, "database").state == state


@pytest.mark.parametrize(("power", "state"), [(0.0, "regression"), (0.5, "regression"), (1.0, "noisy")])
def test_a_throughput_is_explained_by_no_higher_power_than_times(power: float, state: str) -> None:
    policy = Policy(host_explains=power)
    found = verdict([*quiet(12), 60.0], value=17.0, again=17.0, metric=THROUGHPUT, policy=policy)
    assert line(found, THROUGHPUT).state == state


@pytest.mark.parametrize(("left", "state"), [(1.04, "noisy"), (1.06, "suspect")])
def test_what_is_left_after_the_host_has_to_matter(left: float, state: str) -> None:
    """By 1 % of noise 4 % are beyond chance."""
    past = pd.concat([series(METRIC, [20.0] * 20), series(CPU, [50.0] * 20)])
    now = pd.concat([series(METRIC, [20 * 1.12**2 * left], first=20), series(CPU, [56.0], first=20)])
    assert line(judge(past, now)).state == state


def test_repetitions_have_to_show_it_beyond_the_host_as_well() -> None:
    found = line(verdict([*quiet(12), 56.0], value=36.0, again=24.0))
    assert found.state == "noisy"
    assert found.why.startswith("1 repetition tonight: +")


def test_on_a_faster_host_a_regression_stands_and_nothing_has_improved() -> None:
    worse, better = verdict([*quiet(12), 40.0]), verdict([*quiet(12), 40.0], value=16.0)
    assert (line(worse).state, line(better).state) == ("regression", "noisy")
    assert line(better).why == "the host itself was off tonight"
    assert worse.notes == better.notes
    assert "cpu_time is −20 % off" in worse.notes[0]
    assert "what got better tonight may be its doing" in worse.notes[0]


def test_on_a_faster_host_three_nights_are_sustained_as_ever() -> None:
    past = pd.concat([history(14), series(CPU, quiet(14))])
    past.loc[past["metric"].eq(METRIC) & (past["night"] >= "night-012"), "value"] = [21.6, 21.6]
    now = pd.concat([tonight(14, 21.6), series(CPU, [40.0], first=14)])
    assert (line(judge(past, now)).state, line(judge(past, now)).layer) == ("regression", 3)


@pytest.mark.parametrize("tonights", [50.0, 54.0, None])
def test_on_a_host_that_is_itself_a_regression_is_one(tonights: float | None) -> None:
    found = verdict([*quiet(12), tonights])
    assert (line(found).state, found.notes) == ("regression", ())


def test_an_improvement_on_a_slower_host_is_not_believed_either() -> None:
    assert line(verdict([*quiet(12), 80.0], value=16.0)).state == "noisy"


def test_a_calibration_that_is_noisy_itself_needs_more() -> None:
    wild = list(noisy(20, level=50.0, noise=0.2, seed=5))
    assert line(verdict([*wild, 65.0])).state == "regression"


@pytest.mark.parametrize(("tonights", "off"), [(65.0, False), (75.0, True)])
def test_what_is_left_to_chance_depends_on_how_noisy_it_is(tonights: float, *, off: bool) -> None:
    wild = [50.0, 52.5, 47.5] * 7
    assert bool(verdict([*wild, tonights]).notes) is off


def test_few_nights_know_their_noise_badly() -> None:
    wild = [49.0, 50.0, 51.0, 49.5, 50.5]
    assert [is_off(verdict([*wild * times, 60.0])) for times in (1, 2)] == [False, True]


@pytest.mark.parametrize(("nights", "state"), [(4, "regression"), (5, "noisy")])
def test_fewer_than_five_calibrations_know_nothing(nights: int, state: str) -> None:
    assert line(verdict([*[None] * (15 - nights), *quiet(nights), 65.0])).state == state


@pytest.mark.parametrize(("suite", "state"), [("websocket", "regression"), ("database", "noisy")])
def test_the_disk_excuses_the_database_alone(suite: str, state: str) -> None:
    commits = "query.commit_time.p95"
    found = verdict([*quiet(12), 80.0], metric=commits, of=FSYNC, suite=suite)
    assert line(found, commits, suite).state == state
    assert bool(found.notes) is (state == "noisy")


def test_a_slow_disk_keeps_no_night_out_of_the_websocket_s_baseline() -> None:
    calibrations = [*quiet(14), 50.0]
    calibrations[3] = 90.0
    assert verdict(calibrations, of=FSYNC).left_out == ()
    assert [left.nights for left in verdict(calibrations, of=FSYNC, suite="database").left_out] == [1]


@pytest.mark.parametrize(
    ("level", "tonights", "off"), [(0.05, 0.069, False), (0.05, 0.073, True), (0.5, 0.57, True)]
)
def test_a_few_microseconds_of_an_echo_are_nothing(level: float, tonights: float, *, off: bool) -> None:
    """20 µs at least, whatever part of the echo that is."""
    assert bool(verdict([*quiet(12, level), tonights], of=ECHO).notes) is off
    assert verdict([*quiet(12, level), tonights * 1.15]).notes  # of the CPU the same times are off


def test_only_the_suite_whose_host_was_off_is_excused() -> None:
    past = pd.concat([history(12), history(12, suite="database"), series(CPU, quiet(12))])
    now = pd.concat([tonight(12, 24.0), tonight(12, 24.0, suite="database"), series(CPU, [80.0], first=12)])
    found = judge(past, now)
    assert (line(found).state, line(found, suite="database").state) == ("noisy", "suspect")


def test_of_two_calibrations_the_slower_one_explains() -> None:
    past = pd.concat([history(12), series(CPU, quiet(12)), series(ECHO, quiet(12))])
    for cpu, echo in ((60.0, 90.0), (90.0, 60.0)):
        now = pd.concat([tonight(12, 36.0), series(CPU, [cpu], first=12), series(ECHO, [echo], first=12)])
        assert line(judge(past, now)).state == "noisy"
        assert len(judge(past, now).notes) == 2


def test_the_calibration_itself_never_gates() -> None:
    found = line(verdict([*quiet(12), 80.0]), CPU)
    assert (found.state, found.gates) == ("informs", False)
