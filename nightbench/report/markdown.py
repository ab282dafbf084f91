"""Pieces of markdown in which the text of others stays text: no heading, link, image or tag comes out of it.

As GitHub's flavour has it, which is what both UIs of a Prefect server show. One of them shows an entity as it is
written: what would be markup has a backslash before it.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Sequence

from nightbench.history.record import clean_text

LONGEST = 600
"""Characters of one sentence of others."""

_JOINER = "\N{WORD JOINER}"
"""Takes no room and ends no word; what is told apart by it is no address that a reader's program makes a link of."""
_ESCAPED = {ord(each): f"\\{each}" for each in "\\`*_[]<>|~&"}
_LEADING = re.compile(r"^(\d{1,9}(?=[.)])|(?=[#+=-]))")
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)
_FENCES = re.compile("`{3,}")


def said(text: str) -> str:
    """A sentence, scrubbed, on one line: of a paragraph, a heading or an item."""
    return _LEADING.sub(r"\1\\", inline(text))


def inline(text: str) -> str:
    """The same where nothing can begin a block: within a line or a cell."""
    pieces = _ADDRESS.split(_shortened(" ".join(clean_text(text).split())))
    return _JOINER.join(piece.translate(_ESCAPED) for piece in pieces)


def code(text: str) -> str:
    """A name, scrubbed, in type of one width; it may stand in a cell."""
    words = _shortened(" ".join(clean_text(text).split())).replace("`", "'").replace("|", "¦")
    return f"`{words}`" if words else ""


def block(text: str) -> str:
    """Lines of plain text that is scrubbed already, as they are."""
    longest = max((len(found) for found in _FENCES.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def items(sentences: Iterable[str]) -> str:
    """A list of what is markdown already."""
    return "\n".join(f"- {each}" for each in sentences)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """A table of cells that are markdown already; the first `left` columns stand to the left."""
    rules = ["---" if column < left else "---:" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rules, *rows))


def details(summary: str, body: str) -> str:
    """What is shown when somebody opens it."""
    return f"<details>\n<summary>{html.escape(' '.join(clean_text(summary).split()))}</summary>\n\n{body}\n\n</details>"


def link(label: str, address: str) -> str:
    """A link to an address of the user's own."""
    safe = re.sub(r"[\s<>()\\`]", lambda found: f"%{ord(found[0]):02X}", address)
    return f"[{said(label)}]({safe})"


def image(label: str, svg: str) -> str:
    """A drawing inside of the text."""
    return f"![{said(label)}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def page(*parts: str) -> str:
    """The parts that there are, a paragraph each."""
    return "\n\n".join(part for part in parts if part) + "\n"


def _shortened(words: str) -> str:
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
