"""Checks side by side: what one does is no matter of the others."""

from __future__ import annotations

import threading
import time

import pytest

from nightbench.doctor.examination import Check, examine
from nightbench.doctor.finding import Finding, Topic, worst_of
from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.history.reach import UnreachableError

ONE, OTHER = Topic("host", "one"), Topic("host", "other")


def _well(topic):
    return Check(topic, lambda: [topic.ok("well")])


def _raising(error):
    def look():
        yield ONE.ok("known before it broke")
        raise error

    return Check(ONE, look)


def test_findings_stand_in_the_order_of_the_checks():
    assert [each.name for each in examine([_well(ONE), _well(OTHER)])] == ["one", "other"]


@pytest.mark.parametrize(
    ("error", "why", "mend"),
    [
        (
            ConfigurationError("NIGHTBENCH_X", "v", "is wrong", "set it"),
            "NIGHTBENCH_X = 'v': is wrong",
            "set it",
        ),
        (
            UnreachableError("results = 's3://x': no answer", "see whether"),
            "results = 's3://x': no answer",
            "see",
        ),
        (MeasurementError("the disk is full"), "the disk is full", "mend what it names"),
        (ZeroDivisionError("1/0"), "the check itself broke: ZeroDivisionError: 1/0", "NIGHTBENCH_DEBUG=1"),
    ],
)
def test_a_check_that_raises_is_a_failure_of_its_own_and_keeps_what_it_knew(error, why, mend):
    known, broken, other = examine([_raising(error), _well(OTHER)])
    assert (known.state, other.state) == ("ok", "ok")
    assert (broken.state, broken.why) == ("failure", why)
    assert broken.mend.startswith(mend)


def test_checks_that_hang_end_together_and_say_so():
    over = threading.Event()

    def look():
        yield ONE.ok("known before it hung")
        over.wait(30)

    begin = time.monotonic()
    found = examine([Check(ONE, look, seconds=0.2, mend="wake it") for _ in range(8)])
    took = time.monotonic() - begin
    over.set()
    assert took < 8 * 0.2
    assert [each.state for each in found] == ["ok", "failure"] * 8
    assert found[1].mend == "wake it"


def test_a_finding_shows_no_secret_and_is_one_line():
    found = ONE.failure("postgresql://me:hunter2@host/db\nis\x1b[31m wrong", "password=hunter2")
    assert "hunter2" not in str(found)
    assert "\n" not in found.why
    assert "\x1b" not in found.why


@pytest.mark.parametrize(
    ("states", "worst"),
    [([], "ok"), (["ok", "warning"], "warning"), (["failure", "warning", "ok"], "failure")],
)
def test_the_worst_state_is_that_of_all(states, worst):
    assert worst_of(Finding("host", "x", state, "") for state in states) == worst
