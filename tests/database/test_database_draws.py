"""Draws: within their bounds, as often as their law says, the same from the same bits."""

import pickle
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.database.draws import Numbers, Sources, Uniform, Zipf, mixed, sources_of
from nightbench.plan.parameters import ParameterDraw

BITS = st.integers(0, 2**64 - 1)


def fits(observed, expected=None):
    """Chi-square, at six standard deviations by the cube root of Wilson and Hilferty (1931): never by chance."""
    observed = np.asarray(observed, dtype=float)
    expected = np.full(observed.size, observed.mean()) if expected is None else np.asarray(expected)
    freedom = observed.size - 1
    if freedom == 0:
        return True
    chi_square = ((observed - expected) ** 2 / expected).sum()
    return chi_square < freedom * (1 - 2 / (9 * freedom) + 6 * (2 / (9 * freedom)) ** 0.5) ** 3


def drawn(draw, *, count=20_000, seed=1):
    return [draw(mixed(seed, index)) for index in range(count)]


def draw_of(**fields):
    sources = sources_of({"it": ParameterDraw(**fields)}, {("it.csv", None): ("a", "b", "c")})
    return dict(sources.drawn)["it"]


@given(st.integers(0, 2**32 - 1), st.integers(-(10**9), 10**9))
def test_mixed_gives_64_bits_also_of_the_warm_up(seed, index):
    assert 0 <= mixed(seed, index) < 2**64


@given(BITS, st.integers(-(10**12), 10**12), st.integers(0, 10**9), st.integers(1, 1000), st.integers(0, 9))
def test_a_number_is_one_of_the_steps_between_its_bounds(number, low, span, step, decimals):
    shift = Decimal(1).scaleb(-decimals)
    low, high, step = (float(Decimal(each) * shift) for each in (low, low + span, step))
    for kind in ("uniform", "zipf"):
        value = draw_of(draw=kind, low=low, high=high, step=step, decimals=decimals)(number)
        assert isinstance(value, Decimal if decimals else int)
        assert Decimal(repr(low)) <= value <= Decimal(repr(high))
        assert (Fraction(value) - Fraction(repr(low))) % Fraction(repr(step)) == 0


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({"draw": "uniform", "high": 60, "step": 20}, (0, 60)),
        ({"draw": "uniform", "high": 69, "step": 20}, (0, 60)),
        ({"draw": "uniform", "low": -2, "high": -1.5}, (-2, -2)),
        ({"draw": "uniform", "low": 0.01, "high": 500, "decimals": 2}, (Decimal("0.01"), Decimal("500.00"))),
        ({"draw": "uniform", "low": 0.1, "high": 0.3, "decimals": 1}, (Decimal("0.1"), Decimal("0.3"))),
        ({"draw": "uniform", "low": -1e15, "high": 1e15}, (-(10**15), 10**15)),
        ({"draw": "choice", "values": [None, True, 3, "x"]}, (None, "x")),
        ({"draw": "file", "file": "it.csv"}, ("a", "c")),
        ({"draw": "zipf", "low": 5, "high": 9}, (9, 5)),
    ],
)
def test_the_lowest_and_the_highest_bits_are_the_ends(fields, ends):
    draw = draw_of(**fields)
    assert (draw(0), draw(2**64 - 1)) == ends


def test_a_decimal_is_sent_with_all_its_places():
    draw = draw_of(draw="uniform", low=0.5, high=0.5, decimals=2)
    assert str(draw(7)) == "0.50"


@pytest.mark.parametrize(
    "fields", [{"draw": "uniform", "high": 60, "step": 20}, {"draw": "choice", "values": [1, 2, 3, 4]}]
)
def test_an_even_draw_is_even(fields):
    counts = Counter(drawn(draw_of(**fields)))
    assert len(counts) == 4
    assert fits(list(counts.values()))


@pytest.mark.parametrize(
    ("count", "exponent"),
    [
        *((1, 1.0), (2, 3), (3, 1.0), (100, 0.1), (100, 1.0), (100, 1.000_001), (100, 3), (100, 10)),
        *((1_000_000, 0.5), (10_000_000, 1.0), (1_000_000, 1.2)),
    ],
)
def test_zipf_is_as_often_as_its_law_says(count, exponent):
    values = np.sort(drawn(Zipf(Numbers(1, 1, count, 0), exponent), count=40_000))
    assert values[0] >= 1
    assert values[-1] <= count
    law = np.cumsum(np.arange(1, count + 1, dtype=float) ** -exponent)
    law /= law[-1]
    # some twenty parts that are as likely, each up to and with a number, and none that is hardly ever drawn
    ends = np.unique(np.searchsorted(law, np.arange(0.05, 1, 0.05))) + 1
    ends = ends[(1 - law[ends - 1]) * values.size > 5]
    observed = np.searchsorted(values, ends, side="right")
    expected = law[ends - 1] * values.size
    assert fits(*(np.diff([0, *upto, values.size]) for upto in (observed, expected)))


@given(BITS, st.integers(1, 2**53), st.floats(1e-6, 10))
def test_zipf_stays_in_its_bounds_whatever_they_are(number, count, exponent):
    assert 1 <= Zipf(Numbers(1, 1, count, 0), exponent)(number) <= count


def test_the_parameters_of_a_statement_are_drawn_apart():
    coin = ParameterDraw(draw="choice", values=(0, 1))
    sources = sources_of({"one": coin, "other": coin}, {})
    pairs = Counter(
        tuple(sources.parameters(mixed(3, index), tenant="x").values()) for index in range(20_000)
    )
    assert len(pairs) == 4
    assert fits(list(pairs.values()))


def test_what_is_given_is_given_under_its_name():
    draws = {
        "who": ParameterDraw(draw="tenant"),
        "tag": ParameterDraw(draw="tag"),
        "id": ParameterDraw(draw="own_row"),
    }
    sources = sources_of(draws, {})
    assert sources.parameters(1, tenant="ann", tag="x", own_row=7) == {"who": "ann", "tag": "x", "id": 7}
    assert [sources.takes(source) for source in ("tenant", "tag", "own_row")] == [True] * 3
    assert not Sources().takes("own_row")


def test_sources_travel_to_other_processes():
    numbers = Numbers(0, 5, 100, 1)
    sources = Sources((), (("a", Uniform(numbers)), ("b", Zipf(numbers, 1.1))))
    there = pickle.loads(pickle.dumps(sources))
    for number in range(50):
        assert there.parameters(number, tenant="x") == sources.parameters(number, tenant="x")
