"""How change points are counted has to be right itself."""

import math

import numpy as np
import pytest

from benchmarks.changepoints import HEAVY, OTHERS, Score, delays, false_per_100, quiet, score, stepped

SERIES = [np.arange(1.0, 100.0)] * 4


def test_close_points_are_found_the_rest_is_extra():
    answers = iter([[50], [45, 55], [44], []])
    cases = [(series, 50) for series in SERIES]
    assert score(cases, lambda _: next(answers)) == Score(found=2, missed=2, extra=2)


def test_f1_is_the_harmonic_mean():
    counted = Score(found=3, missed=1, extra=2)
    precision, recall = 3 / 5, 3 / 4
    assert counted.f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_a_false_point_counts_once():
    """Reported from the tenth night on, and moved by less than a week."""
    assert false_per_100(SERIES[:1], lambda known: [7 + len(known) % 2] if len(known) >= 10 else []) == (
        pytest.approx(100 / 97)
    )


def test_the_delay_of_what_is_seen_with_its_third_night_is_two():
    cases = [(SERIES[0], 50)]
    assert delays(cases, lambda known: [50] if len(known) >= 53 else []) == [2]
    assert delays(cases, lambda _: []) == [math.inf]


@pytest.mark.parametrize("noise", HEAVY)
def test_the_noise_is_as_large_as_said(noise):
    logs = np.log(np.concatenate(quiet(HEAVY[noise], 300, 3)) / 100)
    assert logs.std() == pytest.approx(0.022, rel=0.15)


def test_a_step_is_where_and_as_large_as_said():
    series = quiet(OTHERS["normal"], 50, 3)
    for before, (after, at) in zip(series, stepped(series, 0.2, 3), strict=True):
        assert 3 <= at <= 96
        assert (after[:at] == before[:at]).all()
        assert abs(math.log(after[at] / before[at])) == pytest.approx(math.log(1.2))
