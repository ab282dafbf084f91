"""One scrubber for every text that leaves the machine or is stored: logs, results, alerts, reports.

It works by value, so that a secret is found wherever it stands in a text. Every rule looks at a text a few times at
most, and at `LONGEST` characters of it: hostile text costs time in proportion to its length.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

from nightbench.scrub.credentials import credentials, headers, private_keys, tokens
from nightbench.scrub.network import network_addresses
from nightbench.scrub.personal import personal
from nightbench.scrub.server_words import server_words
from nightbench.scrub.spans import REDACTED
from nightbench.scrub.statements import statements
from nightbench.scrub.vendors import vendor_keys

LONGEST = 24_576
"""Characters of one text; of a longer one the beginning and the end are kept."""
_KEPT_OF_THE_END = 6_144
_ROOM_FOR_A_WORD = 256
"""Characters at a cut that may be the beginning of a word that no rule would know by that."""

_MOST_PASSES = 4
_SURROGATE = re.compile("[\ud800-\udfff]")
_HIDING = re.compile("[\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff\uff01-\uff5e\ufe6b\ufe55\u2024]")
_HIDING_ESCAPED = re.compile(r"(?<!\\)\\++(?:u(?:200[b-f]|206[0-4]|feff|180e)|xad)", re.IGNORECASE)
"""The same without width, as a `repr` has them."""
_PLAIN = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    0xFE6B: "@",
    0xFE55: ":",
    0x2024: ".",
    **dict.fromkeys([0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF]),
}
"""Full-width forms as ASCII has them, and nothing for what has no width."""

Rule = Callable[[str], str]
_OF_ONESELF: tuple[Rule, ...] = (private_keys, headers, credentials, tokens, vendor_keys, personal)
_ALL: tuple[Rule, ...] = (
    private_keys,
    headers,
    credentials,
    tokens,
    vendor_keys,
    server_words,
    statements,
    personal,
    network_addresses,
)


def scrub(text: str) -> str:
    """Return `text` without secrets, personal data and literals of statements, ``***`` in their place.

    Of more than `LONGEST` characters the middle is left out, which the text then says; see `scrub_long`.
    """
    return _scrub(_shortened(text), _ALL)


def scrub_own(text: str) -> str:
    """The same of what a user configured: hosts by their address and a statement's literals stay."""
    return _scrub(_shortened(text), _OF_ONESELF)


def scrub_long(text: str) -> str:
    """A whole document, scrubbed paragraph by paragraph: nothing is left out but of paragraphs past `LONGEST`."""
    return "\n\n".join(scrub(paragraph) for paragraph in text.split("\n\n"))


def _scrub(text: str, rules: Sequence[Rule]) -> str:
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    plain = _uncovered(text)
    scrubbed = _applied(plain, rules)
    return text if scrubbed == plain else scrubbed


def _uncovered(text: str) -> str:
    """`text` with nothing in it that hides a word from the rules."""
    if not text.isascii() and _HIDING.search(text) is not None:
        text = text.translate(_PLAIN)
    return _HIDING_ESCAPED.sub("", text) if "\\" in text else text


def _applied(text: str, rules: Sequence[Rule]) -> str:
    """Until no rule changes it: what one hid from another may be clear without it."""
    left = len(rules)
    for rule in itertools.chain.from_iterable(itertools.repeat(rules, _MOST_PASSES)):
        scrubbed = rule(text)
        if scrubbed != text:
            text, left = scrubbed, len(rules)
        left -= 1  # of itself a rule leaves nothing
        if left == 0:
            break
    return text


def _shortened(text: str) -> str:
    """The beginning and the end of a long text, neither of which ends in the middle of a word."""
    if len(text) <= LONGEST:
        return text
    first = text[: LONGEST - _KEPT_OF_THE_END]
    last = text[-_KEPT_OF_THE_END + _ROOM_FOR_A_WORD :]
    blank = max(first.rfind(" ", -_ROOM_FOR_A_WORD), first.rfind("\n", -_ROOM_FOR_A_WORD))
    first = first[: blank if blank >= 0 else -_ROOM_FOR_A_WORD]
    line = last.find("\n")  # what stands before it may be the end of something secret
    last = last[line:] if line >= 0 else ""
    return f"{first} … {len(text) - len(first) - len(last)} characters left out …{last}"


__all__ = ["LONGEST", "REDACTED", "scrub", "scrub_long", "scrub_own"]
