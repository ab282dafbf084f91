"""A copy of anything: plain data of bounded size, made without running what is copied."""

import json
import math
from collections import OrderedDict, UserDict, defaultdict, deque
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbench.observability.privacy.bounds import Bounds, bounded, whole_text

TIGHT = Bounds(depth=3, breadth=4, nodes=20, characters=200, text=50)


class Hostile:
    """Raises whatever is asked of it."""

    def __getattribute__(self, name):
        raise RuntimeError("a secret")

    def __raise(self, *_):
        raise RuntimeError("a secret")

    __str__ = __repr__ = __len__ = __iter__ = __bool__ = __hash__ = __eq__ = __format__ = __raise


def hostile(kind):
    """A builtin container or text whose own methods raise."""
    names = (
        "__str__",
        "__repr__",
        "__len__",
        "__iter__",
        "__getitem__",
        "keys",
        "items",
        "encode",
        "__bool__",
    )

    def explode(*_):
        raise RuntimeError("a secret")

    return type(f"Hostile{kind.__name__}", (kind,), dict.fromkeys(names, explode))


class Liar:
    """Says it is a text."""

    __class__ = str


class BadZone(tzinfo):
    def utcoffset(self, _):
        raise RuntimeError("a secret")


class Colour(Enum):
    RED = "a secret"


class Level(IntEnum):
    HIGH = 3


class Pair(NamedTuple):
    a: int
    b: int


class Tier(StrEnum):
    FULL = "full"


@pytest.mark.parametrize(
    ("value", "copy"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (1.5, 1.5),
        ("text", "text"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (1 << 16_609, "<int of 16610 bits>"),
        (b"a secret", "<8 bytes>"),
        (bytearray(3), "<3 bytes>"),
        (memoryview(b"abc"), "<3 bytes>"),
        (Hostile(), "<Hostile>"),
        (Liar(), "<Liar>"),
        (ValueError("a secret"), "<ValueError>"),
        (UserDict(password="a secret"), "<UserDict>"),
        (MappingProxyType({"a": 1}), "<mappingproxy>"),
        ((each for each in "ab"), "<generator>"),
        (Colour.RED, "RED"),
        (Level.HIGH, 3),
        (Tier.FULL, "full"),
        (Decimal("1.20"), "1.20"),
        (UUID(int=7), str(UUID(int=7))),
        (Path("a/b"), "a/b"),
        (timedelta(seconds=90), "0:01:30"),
        (datetime(2026, 11, 27, 2, 15, tzinfo=timezone(timedelta(hours=1))), "2026-11-27T01:15:00.000000Z"),
        (datetime(2026, 11, 27, 2, 15), "2026-11-27T02:15:00.000000Z"),  # noqa: DTZ001
        (datetime(2026, 11, 27, tzinfo=BadZone()), "<unreadable>"),
        (hostile(str)("text"), "text"),
        (hostile(dict)(a=1), {"a": 1}),
        (hostile(list)([1, 2]), [1, 2]),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (deque([1]), [1]),
        (frozenset({1}), [1]),
        (Pair(1, 2), {"a": 1, "b": 2}),
        ([Pair(1, 2)], [{"a": 1, "b": 2}]),
        ({("db", "password"): 1}, {"db.password": 1}),
        ({1: 2, None: 3, Hostile: 4, (1, 2): 5}, {"1": 2, "None": 3, "<type>": 4, "<tuple of 2>": 5}),
        ({b"cookie": b"abc"}, {"cookie": "<3 bytes>"}),
        ([(b"cookie", "abc"), (b"abc",)], [["cookie", "abc"], ["<3 bytes>"]]),
        ("a\ud800b", "a\ufffdb"),
        ({"\udfff": 1}, {"\ufffd": 1}),
        ([[[["deep"]]]], [[["<list of 1>"]]]),
        (list(range(9)), [0, 1, 2, 3, "… 5 more"]),
        ({str(each): each for each in range(6)}, {"0": 0, "1": 1, "2": 2, "3": 3, "…": "2 more"}),
    ],
    ids=lambda _: "",
)
def test_as_plain_data(value, copy):
    result = bounded(value, TIGHT)
    assert result == copy
    assert type(result) is type(copy)


def test_a_cycle_ends():
    knot = {}
    knot["self"] = knot
    assert bounded(knot, TIGHT) == {"self": {"self": {"self": "<dict of 1>"}}}


def test_shared_structures_are_not_expanded_without_end():
    shared = ["leaf"]
    for _ in range(100):
        shared = [shared, shared]
    assert _nodes(bounded(shared, Bounds(depth=90, breadth=9, nodes=500, characters=9_000, text=99))) < 2_000


def test_a_text_is_cut_between_words():
    cut = whole_text("words and a secret@example.org behind", 20)
    assert cut.startswith("words and a … ")
    assert cut.endswith(" more characters")


def test_the_cut_leaves_no_part_of_a_word_that_has_no_end():
    assert whole_text("x" * 10_000, 1_000).startswith("x" * 744 + " … ")


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()


@settings(derandomize=True, max_examples=30, deadline=None)
@given(
    st.recursive(
        _LEAVES,
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=40,
    )
)
def test_anything_fits_and_can_be_written(value):
    copy = bounded(value, TIGHT)
    json.dumps(copy, allow_nan=False).encode()
    assert _nodes(copy) <= 2 * TIGHT.nodes + 1
    assert _characters(copy) <= 10 * TIGHT.characters


def test_what_is_within_the_bounds_stays_as_it_is():
    value = {"a": [1, {"b": "text"}], "c": None}
    assert bounded(value) == value


def _nodes(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(_nodes(each) for each in inner)


def _characters(value):
    return len(json.dumps(value, ensure_ascii=False))
