"""Structures are scrubbed by value and by name, whatever stands in them, and in bounded time."""

import datetime as dt
import json
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.scrub import is_secret_name, scrub_own_tree, scrub_tree


def test_a_tree_is_scrubbed_in_keys_and_values():
    tree = {"token=hunter2": ["ws://u:hunter2@h", 1, None, ("a", {"b": "token=hunter2"})]}
    assert scrub_tree(tree) == {"token=***": ["ws://u:***@h", 1, None, ["a", {"b": "token=***"}]]}


_NAMES = [
    "password",
    "apiKey",
    "X-Api-Key",
    "access_token",
    "client_secret",
    "Authorization",
    "Cookie",
    "sessionId",
    "pin",
]


@pytest.mark.parametrize("key", [*_NAMES, b"password"])
@pytest.mark.parametrize("value", ["hunter2", 12345, b"hunter2", ["hunter2", ["x"]], {"value": "hunter2"}])
def test_what_has_the_name_of_a_secret_is_one(key, value):
    scrubbed = scrub_tree({"body": [{key: value, "kept": 12345}]})
    assert "hunter2" not in repr(scrubbed)
    assert repr(scrubbed).count("12345") == 1


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "handshake_subprotocol", "monkey", "mapping", "primary_key", "tokens", "bypass_count"],
)
def test_other_names_are_no_secrets(name):
    assert scrub_tree({name: 12345}) == {name: 12345}


def test_what_is_said_of_a_secret_and_counts_of_them_stay():
    tree = {"token": {"kind": "x"}, "secret": None, "tokens": 7, "invalid_password": 3, "has_token": True}
    assert scrub_tree(tree) == tree


def test_texts_in_the_plural_of_a_secret_are_secrets():
    assert scrub_tree({"tokens": ["zz11"], "passwords": "zz11"}) == {"tokens": ["***"], "passwords": "***"}


PAIRS = [
    [["authorization", "Bearer zz11"], ["accept", "*/*"]],
    [(b"authorization", b"Bearer zz11"), (b"accept", b"*/*")],
    [{"name": "Authorization", "value": "Bearer zz11"}, {"name": "accept", "value": "*/*"}],
]


@pytest.mark.parametrize("pairs", PAIRS)
def test_headers_as_pairs_are_scrubbed(pairs):
    assert "zz11" not in repr(scrub_tree(pairs))
    assert "*/*" in repr(scrub_tree(pairs))


class _Hostile:
    def __str__(self):
        raise RuntimeError

    __repr__ = __len__ = __iter__ = __eq__ = __str__
    __hash__ = object.__hash__


class _HostileMapping(dict):
    def items(self):
        raise RuntimeError


class _Faceless:
    @property
    def __class__(self):
        raise RuntimeError


def test_no_object_is_asked_for_its_text():
    tree = {
        "a": _Hostile(),
        _Hostile(): 1,
        "b": _HostileMapping(x=1),
        "c": {1, 2},
        "d": [_Faceless(), 1],
        "e": _Faceless(),
    }
    assert scrub_tree(tree) == {
        "a": "<_Hostile>",
        "<_Hostile>": 1,
        "b": "…",
        "c": [1, 2],
        "d": ["…", 1],
        "e": "…",
    }


def test_plain_values_stay_and_paths_are_texts():
    day = dt.date(2026, 11, 27)
    assert scrub_tree([day, 1.5, PurePosixPath("/home/anna/x"), b"a@example.com"]) == [day, 1.5, "~/x", "***"]


def test_cycles_and_depth_end():
    loop: list[object] = []
    loop.append(loop)
    assert scrub_tree(loop) == ["…"]
    deep: object = "x"
    for _ in range(100_000):
        deep = [deep]
    assert "…" in json.dumps(scrub_tree(deep), ensure_ascii=False)


def test_shared_structures_are_not_expanded():
    tree: object = "token=hunter2"
    for _ in range(40):
        tree = [tree, tree]
    assert len(json.dumps(scrub_tree(tree))) < 50_000_000


def test_numbers_of_cards_are_gone():
    assert scrub_tree({"n": 4111111111111111, "at": 1764208800123456789}) == {
        "n": "***",
        "at": 1764208800123456789,
    }


def test_names_that_became_the_same_are_kept_apart():
    assert list(scrub_tree({"a@example.com": 1, "b@example.com": 2}).values()) == [1, 2]


def test_what_a_user_configured_keeps_its_hosts():
    plan = {"address": "10.0.0.1", "sql": "SELECT 1 FROM t WHERE a = 'open'", "password": "hunter2"}
    assert scrub_own_tree(plan) == {**plan, "password": "***"}


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()


@given(
    st.recursive(
        _LEAVES,
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=8,
    )
)
def test_it_never_raises_and_scrubbing_twice_is_scrubbing_once(tree):
    once = scrub_tree(tree)
    assert repr(scrub_tree(once)) == repr(once)


def test_secret_names_are_known_by_their_words():
    assert is_secret_name("userPassword")
    assert not is_secret_name("tenant")
