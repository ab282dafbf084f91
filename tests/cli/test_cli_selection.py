"""What names of runs on the command line mean."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from nightbench.cli.selection import Place, choose, day
from nightbench.errors import ConfigurationError

FIRST = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
PLACE = Place("local")


def night(number):
    return f"{FIRST + timedelta(days=number):%Y%m%dT%H%M%SZ}-nightly-{number:02}"


def run(number, suite="websocket", tier="full"):
    return f"{FIRST + timedelta(days=number):%Y%m%dT%H%M%SZ}-{tier}-{suite}-{number:02}"


def row(number, suite, tier="full", *, environment="local", role="night", run_id=None):
    return {
        "run_id": run_id or run(number, suite, tier),
        "night_id": night(number),
        "suite": suite,
        "tier": tier,
        "environment": environment,
        "role": role,
        "started_at": pd.Timestamp(FIRST + timedelta(days=number)),
    }


RUNS = pd.DataFrame(
    [
        *(row(number, suite) for number in range(6) for suite in ("websocket", "database")),
        row(5, "websocket", role="rerun", run_id="20261129T031500Z-full-websocket-r5"),
        row(4, "websocket", "stress"),
        row(9, "websocket", environment="prod"),
    ]
)


@pytest.mark.parametrize(
    ("name", "nights"),
    {
        "night": (night(3), [3]),
        "unique prefix of a night": (night(3)[:-2], [3]),
        "prefix of a night and its runs": (night(3)[:13], [3]),
        "last": ("last", [5]),
        "one before": ("last~1", [4]),
        "none before": ("last~0", [5]),
        "several": ("last:3", [3, 4, 5]),
        "several before": ("last~2:2", [2, 3]),
        "more than there are": ("last:99", [0, 1, 2, 3, 4, 5]),
        "day": ("2026-11-25", [1]),
        "days": ("2026-11-25..2026-11-27", [1, 2, 3]),
        "open days": ("..2026-11-25", [0, 1]),
        "days to the end": ("2026-11-28..", [4, 5]),
        "night of another environment": (night(9), [9]),
    }.values(),
)
def test_a_name_means_nights(name, nights):
    assert choose(name, RUNS, PLACE).nights == [night(number) for number in nights]


@pytest.mark.parametrize("name", [run(1), run(1)[:-3] + "-0"])
def test_a_name_means_a_run(name):
    found = choose(name, RUNS, PLACE)
    assert (found.kind, list(found.runs["run_id"])) == ("run", [run(1)])


def test_a_night_is_its_runs_without_the_repetitions():
    assert list(choose("last", RUNS, PLACE).runs["run_id"]) == [run(5), run(5, "database")]


def test_a_night_of_repetitions_alone_is_these():
    alone = RUNS[RUNS["role"].eq("rerun")]
    assert len(choose(night(5), alone, PLACE).runs) == 1


@pytest.mark.parametrize(
    ("place", "name", "expected"),
    [
        (Place("local", "database"), "last", [run(5, "database")]),
        (Place("local", tier="stress"), "last", [run(4, tier="stress")]),
        (Place("prod"), "last", [run(9)]),
    ],
)
def test_last_is_of_the_suite_tier_and_environment(place, name, expected):
    assert list(choose(name, RUNS, place).runs["run_id"]) == expected


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nowhere", "no run or night has this name"),
        ("", "no run or night has this name"),
        ("last~6", "there are 6 nights"),
        ("last:0", "there are 6 nights"),
        ("2026-10-01", "nothing was measured then"),
        ("2026-11-25..2026-11-24", "ends before it begins"),
        ("2026-13-45", "is no date"),
        ("..", "no run or night"),
        ("2026-11-252026-11-26", "no run or night"),
        (run(1)[:22], f"may be any of {run(1, 'database')} {run(1)}; write more of the id"),
        ("2026", "…; write more of the id"),
    ],
)
def test_what_means_nothing_or_several_things_is_told(name, problem):
    with pytest.raises(ConfigurationError, match=problem.replace(".", "[.]")) as refused:
        choose(name, RUNS, PLACE.named("A"))
    assert str(refused.value).startswith(f"A = {name!r}: ")


def test_a_named_run_has_to_be_of_the_suite():
    with pytest.raises(ConfigurationError, match="has no run of suite database; leave out"):
        choose(run(1), RUNS, Place("local", "database"))


def test_nothing_stored_is_told():
    with pytest.raises(ConfigurationError, match="nothing is stored yet"):
        choose("last", RUNS[:0], PLACE)


@pytest.fixture
def tokyo(monkeypatch):
    """A machine whose own time is not UTC."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("2026-11-20", False, "2026-11-20T00:00:00+00:00"),
        ("2026-11-20", True, "2026-11-20T23:59:59.999999+00:00"),
        ("2026-11-20T03:15", True, "2026-11-20T03:15:00+00:00"),
        ("9999-12-31", True, "9999-12-31T23:59:59.999999+00:00"),
        ("20261120", True, "2026-11-20T23:59:59.999999+00:00"),
        ("2026-11-20T03:15", False, "2026-11-20T03:15:00+00:00"),  # no zone named: UTC
        ("2026-11-20T03:15Z", False, "2026-11-20T03:15:00+00:00"),
        ("2026-11-20T03:15+02:00", False, "2026-11-20T01:15:00+00:00"),
    ],
)
def test_a_day_is_an_instant_in_utc_wherever_it_is_typed(text, end, expected, tokyo):
    assert day(text, "--since", end=end).isoformat() == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-02-30", "9999-12-31T23:00-05:00", "0001-01-01T00:00+05:00"]
)
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ConfigurationError, match="is no date"):
        day(text, "--since")
