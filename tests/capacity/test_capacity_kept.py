from __future__ import annotations

import pytest

from nightbench.night_ending import kept_of
from nightbench.outcome import NightOutcome


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (None, "nothing was measured"),
        (NightOutcome("night"), "nothing was measured"),
        (NightOutcome("night", steps=1), "kept: 1 step of the search"),
        (NightOutcome("night", steps=7), "kept: 7 steps of the search"),
    ],
)
def test_a_search_that_was_ended_says_how_many_steps_are_kept(outcome, says):
    assert kept_of(outcome) == says
