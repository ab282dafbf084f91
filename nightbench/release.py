"""The release of a subject: what its version or deploy is called, and what may be such a name."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

LONGEST_RELEASE = 64
RELEASE = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
"""What a browser and a server can tell of it: there is something, and no control character."""
_WORDS = 'is no list of words, such as ["curl", "-fsS", "https://staging.example.org/version"]'


def checked_release(text: str) -> str:
    """`text` as the name of a release: without blanks around it.

    Raises:
        ValueError: when it is none.
    """
    name = text.strip()
    if not 1 <= len(name) <= LONGEST_RELEASE or not name.isprintable():
        msg = f"a release is 1 to {LONGEST_RELEASE} printable characters"
        raise ValueError(msg)
    return name


def first_line(printed: bytes) -> str:
    """The release that a program printed: its first line that is not blank; what comes after it does not count.

    Raises:
        ValueError: when there is none.
    """
    try:
        lines = printed.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        msg = "what it prints is no UTF-8"
        raise ValueError(msg) from None
    line = next((line for line in lines if line.strip()), None)
    if line is None:
        msg = "it prints nothing"
        raise ValueError(msg)
    return checked_release(line)


def _words_of(value: object) -> object:
    """The words of a command, of which a variable holds a JSON list."""
    if not isinstance(value, str):
        return value
    try:
        words = json.loads(value)
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, list):
        raise ValueError(_WORDS)  # noqa: TRY004  # pydantic hears of nothing else
    return words


Release = Annotated[str, AfterValidator(checked_release)]
Command = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words_of)]
