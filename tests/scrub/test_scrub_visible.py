"""Text of other people on a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with ünïcödé and 🙂", "plain, with ünïcödé and 🙂"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "alink"),
        ("a\x9b2Jb", "ab"),
        ("a\x1bcb", "ab"),
        ("cut off\x1b[", "cut off"),
        ("a\u202eb\u2066c", "abc"),
        ("two\nlines\tand a\rreturn", "two lines and a return"),
    ],
)
def test_what_moves_hides_or_reorders_is_left_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.sampled_from("a;[]0m\x07\x1b\x9b\x9c\x9d\u202e\\\n"), max_size=30))
def test_no_control_is_left(text: str) -> None:
    assert not [each for each in visible(text) if unicodedata.category(each) == "Cc" or each == "\u202e"]
