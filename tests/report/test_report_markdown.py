"""Markdown in which the text of others stays text."""

from __future__ import annotations

import re

import pytest
from hostile import PIECES
from hypothesis import given
from hypothesis import strategies as st

from nightbench.report.markdown import block, code, details, image, inline, items, link, said, table

MARKUP = re.compile(r"[`*_\[\]<>|~&\\]|^(?:[#+=-]|\d+[.)])|:(?=//)|www\.", re.IGNORECASE)
"""What could begin something in GitHub's flavour: emphasis, code, links, tags, cells, blocks, addresses."""

ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")

texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).map("".join)


@given(texts)
def test_nothing_of_a_sentence_is_markup(text):
    shown = said(text)
    assert "\n" not in shown
    assert not MARKUP.search(ESCAPED.sub("•", shown))


@given(texts)
def test_a_name_ends_its_code_nowhere_but_at_its_end(text):
    shown = code(text)
    assert "\n" not in shown
    assert "|" not in shown
    assert shown == "" or (shown.count("`") == 2 and shown[0] == shown[-1] == "`")


@given(
    st.lists(st.sampled_from(["`", "``", "```", "````", "\n", "x", "</details>"]), max_size=12).map("".join)
)
def test_no_line_of_a_block_ends_it(text):
    fence, *lines, last = block(text).split("\n")
    assert last == fence.removesuffix("text")
    assert not any(line.strip().startswith(last) for line in lines)


@pytest.mark.parametrize(
    "text",
    ["<b>1 & 2</b>", "![x](http://h)", "# big", "a \\| b\\", "1. one", "www.evil.example", "*a*", "&#60;"],
)
def test_the_reader_sees_what_was_written(text):
    assert ESCAPED.sub(r"\1", said(text)).replace("\u2060", "") == text


def test_nothing_is_written_as_an_entity_which_not_every_reader_resolves():
    assert inline(">= 100, < 2,000 ms") == r"\>= 100, \< 2,000 ms"


def test_secrets_are_gone_from_every_piece():
    text = "postgresql://owner:hunter2secret@db/app"
    for shown in (said(text), inline(text), code(text), image(text, "<svg/>"), details(text, "")):
        assert "hunter2secret" not in shown


def test_the_address_of_a_link_cannot_end_it():
    assert link("run", "http://h/a) <b> `c`\\") == "[run](http://h/a%29%20%3Cb%3E%20%60c%60%5C)"


def test_a_table_has_its_first_columns_to_the_left():
    assert (
        table(["a", "b", "c"], [["1", "2", "3"]], left=2)
        == "| a | b | c |\n| --- | --- | ---: |\n| 1 | 2 | 3 |"
    )
    assert items(["a", "b"]) == "- a\n- b"


def test_a_long_sentence_is_cut_off():
    assert len(said("x" * 10_000)) == 600
