"""Pauses before a further attempt to connect."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from nightbench.load.backoff import FIRST_SECONDS, MOST_SECONDS, pause_ns
from nightbench.load.phases import SECOND


@given(st.integers(0, 10_000), st.integers(0, 1000))
def test_a_pause_doubles_up_to_a_limit_and_at_most_half_of_it_is_drawn(attempt, user):
    longest = min(MOST_SECONDS, FIRST_SECONDS * 2 ** min(attempt, 30)) * SECOND
    assert longest / 2 <= pause_ns(attempt, user=user, seed=1) <= longest


def test_users_who_lost_their_connections_together_do_not_come_back_together():
    pauses = sorted(pause_ns(0, user=user, seed=1) for user in range(100))
    steps = [later - earlier for earlier, later in itertools.pairwise(pauses)]
    assert max(steps) < 0.05 * SECOND


def test_the_same_seed_draws_the_same():
    assert pause_ns(3, user=7, seed=1) == pause_ns(3, user=7, seed=1) != pause_ns(3, user=7, seed=2)
