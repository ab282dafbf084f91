"""The open model's schedules: the rate that was asked for, over any window, whoever runs which users."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from load.distributions import KOLMOGOROV_999, kolmogorov

from nightbench.load.phases import SECOND
from nightbench.load.schedule import Arrivals, RateProfile, constant_rate, poisson

START = 1_000 * SECOND
MEASURE = 1_003 * SECOND
END = 1_013 * SECOND

users_ = st.integers(1, 30)
seeds = st.integers(0, 2**32 - 1)
instants = st.integers(START, END)
positive_rates = st.floats(0.5, 60)
rates = st.just(0.0) | positive_rates


@st.composite
def profiles(draw):
    """Corners in order of time, steps and stretches without any operation among them, but not throughout."""
    times = draw(st.lists(st.integers(0, 9), min_size=1, max_size=5).map(sorted))
    some = draw(st.integers(0, len(times) - 1))
    corners = [
        (float(at), draw(positive_rates if place == some else rates)) for place, at in enumerate(times)
    ]
    return RateProfile(corners, START, MEASURE)


@st.composite
def straight_parts(draw):
    """A profile and two instants between two of its corners, short of the second, whose level is rounded."""
    profile = draw(profiles())
    corners = [stretch.begin for stretch in profile._stretches]
    corner, following = draw(st.sampled_from(list(itertools.pairwise([*corners, END]))))
    begin = draw(st.integers(corner, following - SECOND // 500))
    return profile, begin, draw(st.integers(begin + 1001, following - SECOND // 1000))


def turns_of(arrivals, user, *, since=START, until=END):
    turn = arrivals.first(user, since)
    while turn is not None and turn.due < until:
        yield turn
        turn = arrivals.next(user, turn)


def dues(arrivals, users, **span):
    return sorted(turn.due for user in users for turn in turns_of(arrivals, user, **span))


def flat(rate):
    return RateProfile([(0, rate)], START, MEASURE)


# constant arrivals


@given(users_, st.floats(0.5, 200))
def test_at_a_constant_rate_the_users_together_send_at_exactly_it(users, rate):
    found = dues(Arrivals(users, flat(rate), poisson=False, seed=1), range(users))
    expected = (constant_rate(index, rate=rate, origin=START) for index in itertools.count())
    assert found == list(itertools.takewhile(lambda due: due < END, expected))


def test_a_day_long_it_does_not_drift():
    arrivals = Arrivals(7, flat(0.7), poisson=False, seed=1)
    day = START + 86_400 * SECOND
    turn = arrivals.first(3, day)
    assert turn.due == START + round((3 + 7 * turn.number) * SECOND / 0.7)
    assert turn.due - day < 10 * SECOND


@given(users_, profiles(), instants, instants)
def test_over_any_window_as_many_are_due_as_the_rate_makes(users, profile, one, other):
    begin, end = sorted((one, other))
    found = dues(Arrivals(users, profile, poisson=False, seed=1), range(users), until=end)
    expected = profile.level(end) - profile.level(begin)
    assert sum(begin <= due for due in found) == pytest.approx(expected, abs=1 + 1e-6)


@given(straight_parts())
def test_the_integral_is_that_of_the_line_through_the_corners(part):
    profile, begin, end = part
    middle = (begin + end) // 2
    stretches = {stretch.begin for stretch in profile._stretches}
    # between two corners the rate is a straight line: Simpson's rule is exact, and so is the trapezoid
    halves = profile.level(middle) - profile.level(begin), profile.level(end) - profile.level(middle)
    assert min(halves) >= 0
    third = profile.level(begin + 3 * (end - begin) // 2) - profile.level(end)
    later = not any(end < corner < begin + 3 * (end - begin) // 2 for corner in stretches)
    if later and end not in stretches and begin not in stretches:
        assert third - halves[1] == pytest.approx(halves[1] - halves[0], abs=1e-6)


@given(profiles(), instants)
def test_the_inverse_undoes_the_integral(profile, instant):
    level = profile.level(instant)
    found = profile.instant(level)
    if found is None:
        assert profile.level(END + 3600 * SECOND) == pytest.approx(level)
    else:
        assert profile.level(found) == pytest.approx(level, abs=1e-6)


@pytest.mark.parametrize(
    ("corners", "second", "level"),
    [
        ([(0, 10)], 3, 30),  # the first corner's rate before it
        ([(0, 10)], 13, 130),  # and the last one's after it
        ([(2, 10), (4, 20)], 3, 30),
        ([(2, 10), (4, 20)], 6, 50 + 10 + 2.5),  # in the middle of a rise of 5/s²
        ([(2, 10), (4, 20)], 7, 50 + 30),
        ([(2, 10), (4, 20)], 9, 50 + 30 + 40),
        ([(0, 0), (10, 100)], 3, 0),
        ([(0, 0), (10, 100)], 5, 20),
        ([(0, 0), (10, 100)], 13, 500),
        ([(1, 10), (1, 50)], 6, 40 + 100),  # a step
        ([(0, 10), (0, 0), (5, 0), (5, 10)], 6, 30),  # a pause
        ([(0, 10), (0, 0), (5, 0), (5, 10)], 10, 50),
        ([(0, 10), (10, 0)], 99, 30 + 50),  # an end
    ],
)
def test_the_integral_by_hand(corners, second, level):
    profile = RateProfile(corners, START, MEASURE)
    assert profile.level(START + second * SECOND) == pytest.approx(level, abs=1e-9)


def test_nothing_is_due_before_the_start():
    assert flat(5).level(START - 100 * SECOND) == 0
    assert Arrivals(1, flat(5), poisson=False, seed=1).first(0, 0).due == START


@pytest.mark.parametrize(
    ("rate", "operations"),
    [(0.1, 60), (0.07, 42), (0.05, 30)],
)
def test_a_rate_that_ends_has_exactly_as_many_as_it_makes(rate, operations):
    """What doubles make of 0.07 · 600 is a little more than 42, and no 43rd."""
    profile = RateProfile([(0, rate), (597, rate), (597, 0)], START, MEASURE)
    arrivals = Arrivals(7, profile, poisson=False, seed=1)
    assert len(dues(arrivals, range(7), until=START + 10**6 * SECOND)) == operations
    assert arrivals.first(0, START + 601 * SECOND) is None


def test_in_a_pause_nothing_is_due_and_after_it_all_goes_on():
    profile = RateProfile([(0, 10), (0, 0), (5, 0), (5, 10)], START, MEASURE)
    found = dues(Arrivals(4, profile, poisson=False, seed=1), range(4))
    assert not [due for due in found if MEASURE <= due < MEASURE + 5 * SECOND]
    assert found[30] == MEASURE + 5 * SECOND  # the one of the instant at which the pause began
    assert {later - earlier for earlier, later in itertools.pairwise(found[30:])} == {SECOND // 10}


def test_a_step_changes_the_distance_at_once():
    profile = RateProfile([(0, 10), (0, 100)], START, MEASURE)
    found = dues(Arrivals(4, profile, poisson=False, seed=1), range(4))
    distances = [later - earlier for earlier, later in itertools.pairwise(found)]
    assert set(distances[:30]) == {SECOND // 10}
    assert set(distances[30:]) == {SECOND // 100}


# both kinds


@given(users=users_, profile=profiles(), seed=seeds, shards=st.integers(1, 5), poisson=st.booleans())
def test_shards_together_have_the_whole_schedule(users, profile, seed, shards, poisson):
    whole = Arrivals(users, profile, poisson, seed)
    parts = [pickle.loads(pickle.dumps(Arrivals(users, profile, poisson, seed))) for _ in range(shards)]
    of_shards = sorted(
        due
        for shard, part in enumerate(parts)
        for due in dues(part, (user for user in range(users) if user % shards == shard))
    )
    assert of_shards == dues(whole, range(users))


@given(users=users_, profile=profiles(), seed=seeds, connected=instants, poisson=st.booleans())
def test_who_connects_late_joins_the_same_schedule(users, profile, seed, connected, poisson):
    arrivals = Arrivals(users, profile, poisson, seed)
    for user in range(min(users, 3)):
        from_the_start = [turn for turn in turns_of(arrivals, user) if turn.due >= connected]
        assert list(turns_of(arrivals, user, since=connected)) == from_the_start


@given(users=users_, profile=profiles(), seed=seeds, poisson=st.booleans())
def test_turns_follow_each_other_in_time(users, profile, seed, poisson):
    arrivals = Arrivals(users, profile, poisson, seed)
    for user in range(min(users, 3)):
        turns = list(turns_of(arrivals, user))
        assert turns == sorted(turns, key=lambda turn: (turn.due, turn.number))
        assert len({turn.number for turn in turns}) == len(turns)


@pytest.mark.parametrize("poisson", [False, True])
def test_the_first_turn_is_found_without_going_through_those_before_it(monkeypatch, poisson):
    profile = flat(1_000)
    arrivals = Arrivals(1, profile, poisson, seed=42)
    looked_at = []
    instant = profile.instant
    monkeypatch.setattr(profile, "instant", lambda level: (looked_at.append(level), instant(level))[1])
    assert arrivals.first(0, START + 86_400 * SECOND) is not None
    assert len(looked_at) < 200


# Poisson arrivals


def poisson_dues(profile, *, users=20, seed=42, seconds=500):
    arrivals = Arrivals(users, profile, poisson=True, seed=seed)
    return np.array(dues(arrivals, range(users), until=START + seconds * SECOND))


def test_the_distances_of_poisson_arrivals_are_exponential():
    found = poisson_dues(flat(40))
    distances = np.diff(found) / SECOND
    shares = 1 - np.exp(-distances * 40)
    assert kolmogorov(shares) < KOLMOGOROV_999 / np.sqrt(distances.size)
    assert abs(np.corrcoef(distances[:-1], distances[1:])[0, 1]) < 3.3 / np.sqrt(distances.size)


def test_so_are_those_of_one_user_over_many_cells():
    found = poisson_dues(flat(40), users=1)
    shares = 1 - np.exp(-np.diff(found) / SECOND * 40)
    assert kolmogorov(shares) < KOLMOGOROV_999 / np.sqrt(shares.size)


def test_as_many_are_due_as_the_rate_makes_and_they_scatter_as_poissons_do():
    counts = np.bincount((poisson_dues(flat(40)) - START) // SECOND, minlength=500)
    assert abs(counts.mean() - 40) < 3.3 * np.sqrt(40 / 500)
    assert abs(counts.var() / 40 - 1) < 3.3 * np.sqrt(2 / 500)


def test_at_a_changing_rate_they_are_uniform_on_the_scale_of_its_integral():
    """The time-rescaling theorem, read backwards."""
    profile = RateProfile(
        [(0, 0), (100, 80), (100, 5), (200, 5), (300, 0), (350, 0), (350, 40)], START, MEASURE
    )
    found = poisson_dues(profile)
    levels = np.array([profile.level(int(due)) for due in found])
    distances = np.diff(levels)
    assert kolmogorov(1 - np.exp(-distances)) < KOLMOGOROV_999 / np.sqrt(distances.size)
    assert not np.any((found > MEASURE + 300 * SECOND) & (found < MEASURE + 350 * SECOND))


def test_another_seed_is_another_schedule_and_the_same_one_the_same():
    first, again, other = (poisson_dues(flat(5), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not set(first) & set(other)


def test_no_two_users_have_the_same_schedule():
    arrivals = Arrivals(20, flat(40), poisson=True, seed=42)
    of_users = [tuple(turn.due for turn in turns_of(arrivals, user)) for user in range(20)]
    assert len(set(of_users)) == 20


# Poisson arrivals of operations that belong to no user


@given(seed=st.integers(0, 2**32), count=st.integers(1, 300), rate=st.floats(0.1, 1e5))
def test_they_are_in_order_and_within_their_time(seed, count, rate):
    due = [poisson(index, count, rate=rate, origin=START, seed=seed) for index in range(count)]
    assert due == sorted(due)
    assert due[0] >= START
    assert due[-1] <= START + round(count / rate * SECOND)


def test_their_distances_are_exponential():
    due = [poisson(index, 6_400, rate=200, origin=START, seed=7) for index in range(6_400)]
    shares = 1 - np.exp(-np.diff(due) / SECOND * 200)
    assert kolmogorov(shares) < KOLMOGOROV_999 / np.sqrt(shares.size)


def test_those_before_the_origin_are_of_the_same_rate():
    due = [poisson(index, 10, rate=100, origin=START, seed=7) for index in range(-640, 0)]
    assert due == sorted(due)
    assert due[0] >= START - 6.4 * SECOND
    assert due[-1] < START
