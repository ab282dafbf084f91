r"""Other ways to read a text: without what hides a word in it, and with escaped white space as white space.

A `repr`, JSON or a log writes the line break of ``password=\n…`` as a backslash and a letter, behind which no rule
would see the word.
"""

from __future__ import annotations

import re

from nightbench.scrub.patterns import late

_HIDING = late("[\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff\uff01-\uff5e\ufe6b\ufe55\u2024\uff61\u3002]")
_HIDING_ESCAPED = late(r"(?<!\\)\\++(?:u(?:200[b-f]|206[0-4]|feff|180e)|xad)", re.IGNORECASE)
"""The same without width, as a `repr` has them."""
_LETTER_ESCAPED = late(
    r"(?<!\\)\\++(?:x|u00)(?P<code>3[0-9adAD]|4[0-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA]|2[dDeEfF])"
)
"""Letters, digits and the signs of keys and addresses, but no quotes and backslashes."""
_PLAIN = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    0xFE6B: "@",
    0xFE55: ":",
    0x2024: ".",
    0xFF61: ".",
    0x3002: ".",
    **dict.fromkeys([0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF]),
}
"""Full-width forms as ASCII has them, and nothing for what has no width."""

_BLANK_ESCAPED = late(
    r"(?<!\\)\\++(?:r\\++n|[nrtfv]|x(?:a0|0[09a-d]|1[c-f]|85)|u(?:00(?:a0|0[09a-d])|200[0-9a]|202[89f]|205f|3000))",
    re.IGNORECASE,
)
_STAND_INS = "\x1c\x1d\x1e\x1f\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u205f"
"""White space that hardly any text has, one for each escape in it."""
_OF_LINES = ("n", "0a", "28", "29")
_OF_NOTHING = ("00",)


def uncovered(text: str) -> str:
    """`text` with nothing in it that hides a word from the rules."""
    if not text.isascii() and _HIDING.search(text) is not None:
        text = text.translate(_PLAIN)
    if "\\" in text:
        text = _HIDING_ESCAPED.sub("", text)
        text = _LETTER_ESCAPED.sub(lambda match: chr(int(match["code"], 16)), text)
    return text


class Spaced:
    """A text with escaped white space as white space, and the way back."""

    def __init__(self, text: str) -> None:
        self._stands_for: dict[str, str] = {}
        free = [sign for sign in _STAND_INS if sign not in text]
        known: dict[str, str] = {}

        def stand_in(match: re.Match[str]) -> str:
            escape = match[0]
            if escape not in known:
                if not free:
                    return escape
                low = escape.lower()
                before = "\n" if low.endswith(_OF_LINES) else "\x00" if low.endswith(_OF_NOTHING) else ""
                sign = free.pop(0)
                known[escape] = before + sign
                self._stands_for[sign] = escape
            return known[escape]

        self.text = _BLANK_ESCAPED.sub(stand_in, text) if "\\" in text else text
        self.differs = bool(known)

    def restored(self, scrubbed: str) -> str:
        """`scrubbed`, which rules made of `text`, with the escapes as they were."""
        for sign, escape in self._stands_for.items():
            scrubbed = (
                scrubbed.replace("\n" + sign, escape).replace("\x00" + sign, escape).replace(sign, escape)
            )
        return scrubbed
