"""When things are due: phases, ramps, think times and the agenda."""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from load.distributions import KOLMOGOROV_999, kolmogorov

from nightbench.load.agenda import Agenda
from nightbench.load.phases import SECOND, Phases
from nightbench.load.schedule import ramp_offset, think_ns


def phases():
    return Phases.plan(1000 * SECOND, ramp=2, warmup=3, measure=10, drain=5)


def test_phases_follow_each_other():
    plan = phases()
    seconds = [0, 1.9, 2, 4.9, 5, 14.9, 15, 30]
    assert [plan.at(plan.start + round(second * SECOND)) for second in seconds] == [
        *("ramp", "ramp", "warmup", "warmup", "measure", "measure", "drain", "drain")
    ]


@given(st.integers(990, 1030))
def test_only_what_is_scheduled_in_the_measure_phase_counts(second):
    assert phases().counts(second * SECOND) == (1005 <= second < 1015)


@given(st.integers(990, 1030))
def test_a_run_cut_short_counts_what_was_scheduled_before(second):
    cut = phases().cut(second * SECOND, drain=1)
    assert cut.start <= cut.warmup <= cut.measure <= cut.drain <= cut.end
    assert cut.drain <= max(second * SECOND, cut.start)
    assert cut.measured_seconds == min(max(second - 1005, 0), 10)


def test_a_drain_cut_short_ends_so_much_later_and_leaves_the_measure_phase_whole():
    cut = phases().cut(1016 * SECOND, drain=2)
    assert cut == replace(phases(), end=1018 * SECOND)
    assert cut.cut(1017 * SECOND, drain=2) == cut
    assert phases().cut(1019 * SECOND, drain=2) == phases()


@given(st.integers(1, 500), st.integers(0, 60 * SECOND))
def test_a_ramp_is_even_and_ends_in_time(users, ramp):
    offsets = [ramp_offset(user, users, ramp) for user in range(users)]
    assert offsets == sorted(offsets)
    assert offsets[0] == 0
    assert max(offsets) <= ramp
    steps = {later - earlier for earlier, later in itertools.pairwise(offsets)}
    assert not steps or max(steps) - min(steps) <= 1


@given(st.integers(1, 500), st.integers(0, 60 * SECOND), st.integers(1, 20))
def test_a_ramp_in_steps_has_equal_groups_evenly_apart(users, ramp, steps):
    groups = Counter(ramp_offset(user, users, ramp, "steps", steps) for user in range(users))
    if ramp >= SECOND:
        assert len(groups) == min(steps, users)
        assert max(groups.values()) - min(groups.values()) <= 1
    assert set(groups) <= {ramp * step // steps for step in range(steps)}
    assert list(groups) == sorted(groups)


def test_a_spike_is_everybody_at_once():
    assert {ramp_offset(user, 500, 60 * SECOND, "spike") for user in range(500)} == {0}


def test_a_think_time_without_a_spread_is_what_the_plan_says():
    assert {think_ns(user, turn, 1.5, 0, 7) for user in range(5) for turn in range(5)} == {1_500_000_000}


def test_think_times_are_spread_evenly_around_what_the_plan_says():
    drawn = np.array([think_ns(user, turn, 2.0, 0.25, 7) for user in range(50) for turn in range(100)])
    assert drawn.min() >= 1_500_000_000
    assert drawn.max() < 2_500_000_000
    shares = (np.sort(drawn) / 1e9 - 1.5) / 1.0
    assert kolmogorov(shares) < KOLMOGOROV_999 / np.sqrt(drawn.size)
    assert drawn[0] == think_ns(0, 0, 2.0, 0.25, 7) != think_ns(0, 0, 2.0, 0.25, 8)


def test_the_agenda_keeps_time_and_order():
    agenda, seen = Agenda(), []
    agenda.at(20, lambda due: seen.append(("late", due)))
    agenda.at(10, lambda due: seen.append(("first", due)))
    agenda.at(10, lambda due: seen.append(("second", due)))
    agenda.run_due(15)
    assert seen == [("first", 10), ("second", 10)]
    assert agenda.next_due() == 20


def test_what_an_action_enters_is_run_if_it_is_due_too():
    agenda, seen = Agenda(), []
    agenda.at(1, lambda due: agenda.at(due + 1, seen.append))
    agenda.run_due(5)
    assert seen == [2]


def test_no_more_is_run_at_once_than_asked_for_and_the_rest_in_order_later():
    agenda, seen = Agenda(), []
    for due in (3, 1, 2):
        agenda.at(due, seen.append)
    agenda.run_due(5, at_most=2)
    assert (seen, agenda.next_due()) == ([1, 2], 3)
    agenda.run_due(5, at_most=2)
    assert (seen, agenda.next_due()) == ([1, 2, 3], None)


def test_who_waits_for_the_agenda_is_told_of_what_is_due_before_all_else():
    told = []
    agenda = Agenda(told.append)
    for due in (20, 30, 10, 10):
        agenda.at(due, lambda _due: None)
    assert told == [20, 10]


def test_while_it_runs_nobody_is_told_since_it_says_what_is_next_when_done():
    told = []
    agenda = Agenda(told.append)
    agenda.at(5, lambda due: agenda.at(due + 1, lambda _due: agenda.at(9, lambda _due: None)))
    agenda.run_due(7)
    assert (told, agenda.next_due()) == ([5], 9)


def test_it_goes_on_after_an_action_that_failed():
    told = []
    agenda = Agenda(told.append)
    agenda.at(1, lambda _due: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        agenda.run_due(2)
    agenda.at(3, lambda _due: None)
    assert (told, agenda.next_due()) == ([1, 3], 3)


def test_a_closed_agenda_drops_what_it_has_and_takes_nothing():
    agenda, seen = Agenda(), []
    agenda.at(1, lambda _due: agenda.close())
    agenda.at(2, seen.append)
    agenda.run_due(5)
    agenda.at(3, seen.append)
    agenda.run_due(5)
    assert (seen, agenda.next_due(), agenda.closed) == ([], None, True)
