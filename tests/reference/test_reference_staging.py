"""Delays and faults are drawn from one seed."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nightbench.reference.staging import Fate, Staging, draw_delay


def delays(count=4000, **staging):
    generator = random.Random(1)
    return [draw_delay(Staging(**staging), generator) for _ in range(count)]


@pytest.mark.parametrize("name", ["fixed", "uniform", "exponential", "lognormal", "bimodal"])
def test_the_median_is_the_one_asked_for(name):
    assert statistics.median(delays(delay=name, delay_ms=200, delay_spread=0.5)) == pytest.approx(
        0.2, rel=0.06
    )


def test_one_in_ten_of_a_bimodal_backend_is_slow():
    drawn = delays(delay="bimodal", delay_ms=100, delay_spread=20)
    assert sum(value > 1 for value in drawn) / len(drawn) == pytest.approx(0.1, abs=0.02)


@given(st.sampled_from(["fixed", "uniform", "exponential", "lognormal", "bimodal"]), st.floats(0, 5000))
def test_a_delay_is_never_negative(name, median):
    assert all(value >= 0 for value in delays(50, delay=name, delay_ms=median, delay_spread=3))


def fates(**staging):
    fate = Fate(Staging(**staging))
    return [(fate.refuses_connection(0), fate.fails(), fate.delay()) for _ in range(500)]


def test_the_same_seed_gives_the_same_fate_and_another_another():
    assert fates(error_rate=0.5, seed=3) == fates(error_rate=0.5, seed=3)
    assert fates(error_rate=0.5, seed=3) != fates(error_rate=0.5, seed=4)


def test_staging_one_fault_leaves_the_others_as_they_were():
    plain, refusing = fates(error_rate=0.5), fates(error_rate=0.5, refuse_rate=0.3)
    assert [fate[1:] for fate in plain] == [fate[1:] for fate in refusing]


@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0])
def test_rates_are_kept(rate):
    drawn = fates(error_rate=rate, refuse_rate=rate)
    for place in (0, 1):
        assert sum(fate[place] for fate in drawn) / len(drawn) == pytest.approx(rate, abs=0.06)


def test_a_stall_holds_replies_back_until_its_end():
    fate = Fate(Staging(stall_at=10, stall_for=2))
    assert fate.stalled_for(5) == 0
    fate.refuses_connection(100)
    assert [fate.stalled_for(now) for now in (109, 110, 111.5, 112)] == [0, 2, 0.5, 0]


def test_no_more_connections_are_let_in_than_there_is_room_for():
    fate = Fate(Staging(most_connections=2))
    assert [fate.refuses_connection(0, beside=beside) for beside in (0, 1, 2, 3)] == [
        False,
        False,
        True,
        True,
    ]
    assert not Fate(Staging()).refuses_connection(0, beside=50_000)


@pytest.mark.parametrize(
    "wrong", [{"error_rate": 1.1}, {"delay_ms": -1}, {"delay": "pareto"}, {"chunks": -1}, {"sed": 1}]
)
def test_an_impossible_stage_is_refused(wrong):
    with pytest.raises(ValidationError):
        Staging(**wrong)
