"""The messages that the guide explains are those of the program."""

from __future__ import annotations

import re

import pytest
from docs.reading import PROJECT

SOURCES = [path for room in ("nightbench", "flows", "tasks") for path in (PROJECT / room).rglob("*.py")]
PAGE = (PROJECT / "docs/problems.md").read_text("utf-8")
GOES_ON = re.compile(r'"\n\s*f?"')
"""A text that is written on several lines is one."""


def messages():
    """What stands in the first column of a table as the words of the program, and is a sentence."""
    for row in PAGE.splitlines():
        if row.startswith("| `") and not row.startswith("| `sqlstate"):
            for text in re.findall(r"`([^`]*)`", row.split(" | ")[0]):
                if text.count(" ") > 1 and "nightbench " not in text.partition("'")[0]:
                    yield text


@pytest.fixture(scope="module")
def said():
    return GOES_ON.sub("", "\n".join(path.read_text("utf-8") for path in SOURCES))


def test_there_are_messages_to_look_for():
    assert len(list(messages())) > 20


@pytest.mark.parametrize("message", list(messages()))
def test_a_message_is_one_of_the_program(message, said):
    pieces = [piece.strip() for piece in message.split("…")]
    assert [piece for piece in pieces if piece not in said] == []


def test_a_message_that_the_program_does_not_have_is_found(said):
    assert "the generator was tired" not in said
