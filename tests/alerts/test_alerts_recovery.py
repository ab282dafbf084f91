"""What was bad and is well again: only what a night of the same kind has shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import invalidated, verdict_of, with_metric
from remembering import P95, judged, leaking, line_of, missed, night_id, opened, regression, well

from nightbench.alerts.alert import alerts_of
from nightbench.alerts.failure import Failure, failure_alert
from nightbench.alerts.open_alert import OpenAlert
from nightbench.alerts.recovery import ACCEPTED, WELL_AGAIN, Tonight, recovered
from nightbench.alerts.rollup import roll_up
from nightbench.history.marks import new_mark

(MISSED,) = alerts_of([missed()])
(LEAK,) = alerts_of([leaking()])
(INVALID,) = alerts_of([verdict_of(invalidated(well().measurement, "busy"))])


def over(entry: OpenAlert, *verdicts, number: int = 1, **more) -> str:
    night = Tonight(night_id(number), "local", verdicts, **more)
    return next((why for _, why in recovered([entry], night)), "")


def shortened(verdict):
    """The same night with a lighter plan."""
    plan = verdict.measurement.plan.model_copy(update={"users": 3})
    return verdict_of(replace(verdict.measurement, plan=plan))


def test_a_target_that_is_met_again_is_well() -> None:
    assert over(opened(MISSED), well(1)) == WELL_AGAIN


@pytest.mark.parametrize(
    "verdict",
    [
        missed(1),
        missed(1, value=None),
        verdict_of(invalidated(well(1).measurement, "busy")),
        leaking(1, rows=0),
        shortened(well(1)),
        verdict_of(replace(well(1).measurement, tier="stress")),
        replace(well(1), targets=tuple(target for target in well(1).targets if target.metric != P95)),
    ],
    ids=["missed", "no value", "invalid", "other suite", "other plan", "other tier", "no such target"],
)
def test_nothing_else_shows_that_a_target_is_met_again(verdict) -> None:
    assert over(opened(MISSED), verdict) == ""


def test_a_night_of_another_environment_shows_nothing() -> None:
    assert over(opened(MISSED, environment="production"), well(1)) == ""


def test_the_night_that_told_it_does_not_end_it() -> None:
    assert over(opened(MISSED), well(0), number=0) == ""


def test_a_night_that_ended_early_ends_nothing_that_it_did_not_measure() -> None:
    assert over(opened(MISSED)) == ""


@pytest.mark.parametrize("state", ["steady", "improved"])
def test_a_regression_is_over_when_the_metric_is_as_before(state) -> None:
    assert over(opened(regression()), judged(line_of(state), number=1)) == WELL_AGAIN


@pytest.mark.parametrize(
    "state",
    [
        "regression",
        "suspect",
        "noisy",
        "muted",
        "provisional",
        "no baseline",
        "missing",
        "too noisy",
        "informs",
    ],
)
def test_a_regression_is_not_over_by_any_other_word(state) -> None:
    assert over(opened(regression()), judged(line_of(state), number=1)) == ""


@pytest.mark.parametrize("change", ["host", "plan", "metric", "judged"])
def test_a_regression_is_not_over_by_what_cannot_be_compared(change) -> None:
    verdict = judged(line_of("steady"), number=1)
    first = verdict.measurement
    verdict = {
        "host": replace(verdict, measurement=replace(first, host={**first.host, "cores": 64})),
        "plan": replace(verdict, measurement=replace(first, plan=first.plan.model_copy(update={"users": 3}))),
        "metric": judged(line_of("steady", metric="message.service_time.p95"), number=1),
        "judged": replace(verdict, judged=None),
    }[change]
    assert over(opened(regression()), verdict) == ""


@pytest.mark.parametrize(("metrics", "why"), [((P95,), ACCEPTED), ((), ACCEPTED), (("connection.*",), "")])
def test_what_was_accepted_is_over(metrics, why) -> None:
    mark = new_mark(
        "accept",
        environment="local",
        suite="websocket",
        tier="full",
        run_id="r",
        night_id=night_id(0),
        who="ada",
        why="a new feature",
        metrics=metrics,
    )
    assert over(opened(regression()), judged(line_of("no baseline"), number=1), marks=(mark,)) == why


def test_a_leak_is_over_when_all_rows_were_counted_and_none_leaked() -> None:
    assert over(opened(LEAK), leaking(1, rows=0)) == WELL_AGAIN
    clean = leaking(1, rows=0).measurement
    assert over(opened(LEAK), leaking(1, rows=1)) == ""
    assert over(opened(LEAK), verdict_of(with_metric(clean, "query.leaked_rows", None))) == ""
    assert over(opened(LEAK), verdict_of(invalidated(clean, "cut short", complete=False))) == ""


def test_an_invalid_night_is_over_with_a_valid_one_even_where_that_misses_a_target() -> None:
    assert over(opened(INVALID), missed(1)) == WELL_AGAIN
    assert over(opened(INVALID), verdict_of(invalidated(well(1).measurement, "busy"))) == ""


@pytest.mark.parametrize(
    ("place", "failures", "flow", "is_over"),
    [
        ((None, None), [], "nightly", True),
        ((None, None), [], "quick", False),
        ((None, None), [(None, None)], "nightly", False),
        (("full", None), [], "nightly", True),
        (("full", None), [("full", "database")], "nightly", False),
        (("full", "websocket"), [("full", "database")], "nightly", True),
        (("full", "websocket"), [("full", None)], "nightly", False),
        (("full", "database"), [], "nightly", False),
        (("stress", None), [], "nightly", False),
    ],
)
@pytest.mark.parametrize("kind", ["failed", "crashed"])
def test_what_failed_is_over_when_the_same_flow_gave_its_result(place, failures, flow, is_over, kind) -> None:
    entry = opened(failure_alert(Failure(*place, "local", night_id(0), "gone", kind=kind)))
    again = [Failure(*each, "local", night_id(1), "gone") for each in failures]
    tonight = Tonight(night_id(1, flow), "local", [well(1)], again)
    assert [why for _, why in recovered([entry], tonight)] == ([WELL_AGAIN] if is_over else [])


def test_a_night_that_was_cut_short_ends_no_crash() -> None:
    entry = opened(failure_alert(Failure(None, None, "local", night_id(0), "gone", kind="crashed")))
    assert over(entry, verdict_of(invalidated(well(1).measurement, "cut", complete=False))) == ""


def test_a_roll_up_is_over_when_nothing_is_open_that_only_it_told() -> None:
    entry = opened(roll_up([MISSED]))
    listed = opened(regression(), own=False)
    night = Tonight(night_id(1), "local", [judged(line_of("regression"), number=1)])
    assert list(recovered([entry, listed], night)) == []
    later = Tonight(night_id(2), "local", [judged(line_of("steady"), number=2)])
    assert {each.kind for each, _ in recovered([entry, listed], later)} == {"roll_up", "regression"}
    told = opened(regression(), own=True)
    assert [each.kind for each, _ in recovered([entry, told], night)] == ["roll_up"]
