"""At most so many alerts a night, one by one, the most severe first; the rest is one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remembering import NOW, leaking, missed, regression

from nightbench.alerts.alert import LEVELS, Alert, alerts_of
from nightbench.alerts.event import event_of
from nightbench.alerts.failure import Failure, failure_alert
from nightbench.alerts.rollup import MOST_LISTED, roll_up, split
from nightbench.alerts.wording import MOST_MESSAGE

(MISSED,) = alerts_of([missed()])
(LEAK,) = alerts_of([leaking()])
FAILED = failure_alert(Failure("full", "database", "local", "n", "gone"))
CRASHED = failure_alert(Failure(None, None, "local", "n", "gone", kind="crashed"))


def numbered(kind: str, number: int) -> Alert:
    return replace(MISSED, kind=kind, level=LEVELS[kind], metric=f"m{number}")


@given(
    st.lists(st.sampled_from(["tenant_leak", "failed", "target_missed", "invalid", "regression"])),
    st.integers(1, 12),
)
def test_nothing_is_lost_and_nothing_stands_twice_and_the_severe_come_first(
    kinds: list[str], most: int
) -> None:
    order = list(LEVELS)
    first, rest = split([numbered(kind, number) for number, kind in enumerate(kinds)], most)
    assert sorted([*first, *rest]) == list(range(len(kinds)))
    assert len(first) == min(most, len(kinds))
    ranks = [(order.index(kinds[place]), place) for place in [*first, *rest]]
    assert ranks == sorted(ranks)


def test_leaks_come_before_crashes_before_missed_targets_before_regressions() -> None:
    alerts = [regression(), MISSED, FAILED, CRASHED, LEAK]
    first, _ = split(alerts, 5)
    assert [alerts[place].kind for place in first] == [
        "tenant_leak",
        "crashed",
        "failed",
        "target_missed",
        "regression",
    ]


@pytest.mark.parametrize(
    ("rest", "level"), [([regression()], "warning"), ([regression(), MISSED], "error"), ([LEAK], "error")]
)
def test_a_roll_up_is_as_bad_as_the_worst_in_it(rest: list[Alert], level: str) -> None:
    assert roll_up(rest).level == level


def test_a_roll_up_lists_what_it_stands_for_and_groups_by_environment_alone() -> None:
    alert = roll_up([MISSED, regression()])
    assert alert.fingerprint == ("roll_up", "all", "all", "alerts", "local")
    assert alert.text.splitlines()[0].startswith(f"- error: {MISSED.title} (5000 ms, wanted < 2000 ms")
    assert alert.context["kinds"] == {"target_missed": 1, "regression": 1}
    assert roll_up([LEAK]).title == alert.title


@pytest.mark.parametrize("title", ["short", "full websocket: " + "a.long.name." * 6 + "misses its target"])
@pytest.mark.parametrize("links", [{}, {"run": "https://prefect.example/" + "r" * 900}])
def test_a_roll_up_of_hundreds_is_bounded_and_counts_what_it_does_not_list(
    title: str, links: dict[str, str]
) -> None:
    alerts = [replace(numbered("regression", number), title=title, links=links) for number in range(900)]
    run = Failure("full", "websocket", "local", "20261127T031500Z-nightly-0000aa", "gone")
    message = event_of(roll_up(alerts), run, NOW)["message"]["formatted"]
    assert len(message) <= MOST_MESSAGE
    assert message.splitlines()[-1] == (
        f"run: {links['run']}" if links else "night 20261127T031500Z-nightly-0000aa"
    )
    listed = [line for line in message.splitlines() if line.startswith("- warning: ")]
    whole = f"- warning: {title} (5000 ms, wanted < 2000 ms; 400 samples)"
    assert set(listed) == {whole}
    assert 30 < len(listed) <= MOST_LISTED
    assert f"\n- {900 - len(listed)} more\n" in message
