"""One scrubber for every text that leaves the machine or is stored: logs, results, alerts, reports.

It works by value, so that a secret is found wherever it stands in a text. Every rule looks at a text a few times at
most, and at `LONGEST` characters of it: hostile text costs time in proportion to its length.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from nightbench.scrub.credentials import credentials, headers, private_keys, tokens
from nightbench.scrub.fragments import fragments
from nightbench.scrub.known import LONGEST_KNOWN, without_known
from nightbench.scrub.network import network_addresses
from nightbench.scrub.patterns import late
from nightbench.scrub.personal import personal
from nightbench.scrub.server_words import server_words
from nightbench.scrub.spans import REDACTED
from nightbench.scrub.statements import statements
from nightbench.scrub.told import told
from nightbench.scrub.vendors import vendor_keys
from nightbench.scrub.views import Spaced, uncovered

LONGEST = 16_384
"""Characters of one text; of a longer one the beginning and the end are kept."""
_KEPT_OF_THE_END = 4_096
_ROOM_FOR_A_WORD = 256
"""Characters at a cut that may be the beginning of a word that no rule would know by that."""

_LOOKED_AT = 4 * LONGEST
"""Characters at each end of a long text in which known secrets are looked for, what is cut off at its end included."""

_MOST_PASSES = 4
_SURROGATE = late("[\ud800-\udfff]")
Rule = Callable[[str], str]
_SECRETS: tuple[Rule, ...] = (
    without_known,
    private_keys,
    headers,
    told,
    credentials,
    tokens,
    vendor_keys,
)
_OF_ONESELF: tuple[Rule, ...] = (*_SECRETS, personal)
_ALL: tuple[Rule, ...] = (*_SECRETS, server_words, statements, fragments, personal, network_addresses)


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
    return "\n\n".join(scrub(paragraph) for paragraph in without_known(text).split("\n\n"))


def one_line(text: str) -> str:
    """`text` scrubbed, with one blank for all white space."""
    return " ".join(scrub(text).split())


def _scrub(text: str, rules: Sequence[Rule]) -> str:
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    plain = uncovered(text)
    scrubbed = _applied(plain, rules)
    if scrubbed == plain:
        scrubbed = text
    spaced = Spaced(scrubbed)
    if spaced.differs:
        seen = _applied(spaced.text, rules)
        scrubbed = scrubbed if seen == spaced.text else spaced.restored(seen)
    return scrubbed


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
    """The beginning and the end of a long text, neither of which ends in the middle of a word, without known secrets."""
    if len(text) <= LONGEST:
        return without_known(text)
    first = without_known(text[:_LOOKED_AT])[:-LONGEST_KNOWN][: LONGEST - _KEPT_OF_THE_END]
    last = without_known(text[-_LOOKED_AT:])[LONGEST_KNOWN:][-_KEPT_OF_THE_END + _ROOM_FOR_A_WORD :]
    blank = max(first.rfind(" ", -_ROOM_FOR_A_WORD), first.rfind("\n", -_ROOM_FOR_A_WORD))
    first = first[: blank if blank >= 0 else -_ROOM_FOR_A_WORD]
    line = last.find("\n")  # what stands before it may be the end of something secret
    last = last[line:] if line >= 0 else ""
    return f"{first} … {len(text) - len(first) - len(last)} characters left out …{last}"


__all__ = ["LONGEST", "REDACTED", "one_line", "scrub", "scrub_long", "scrub_own"]
