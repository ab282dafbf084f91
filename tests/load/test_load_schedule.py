"""When things are due: phases, schedules and the agenda."""

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from nightbench.load.agenda import Agenda
from nightbench.load.phases import SECOND, Phases
from nightbench.load.schedule import StaggeredSchedule, constant_rate, ramp_offset


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


@given(st.integers(1, 40), st.floats(0.5, 200), st.integers(2, 5))
def test_users_together_send_at_exactly_the_rate(users, rate, turns):
    schedule = StaggeredSchedule(users=users, rate=rate, origin=0)
    dues = []
    for user in range(users):
        turn, due = schedule.first(user, 0)
        for _ in range(turns):
            dues.append(due)
            turn, due = schedule.next(user, turn)
    dues.sort()
    assert dues == [constant_rate(index, rate=rate, origin=0) for index in range(users * turns)]


@given(st.integers(0, 19), st.integers(0, 100 * SECOND))
def test_a_late_user_joins_at_its_next_turn(user, connected):
    schedule = StaggeredSchedule(users=20, rate=10, origin=0)
    turn, due = schedule.first(user, connected)
    assert due >= connected
    assert due - connected <= 2 * SECOND or turn == 0


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
    agenda.at(9, seen.append)
    agenda.clear()
    assert agenda.next_due() is None
