"""The pages of the guide as data: their blocks of code, headings and links. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
GUIDE = sorted((PROJECT / "docs").glob("**/*.md"))
BESIDE = [PROJECT / name for name in ("README.md", "CHANGELOG.md")]
ROOMS = [PROJECT / name / "README.md" for name in ("deployments", "results", "benchmarks")]
PAGES = [*BESIDE, *ROOMS, *GUIDE]

_FENCE = re.compile(r"^( *)(`{3,})(.*)$")
_NAMED_INSIDE = re.compile(r"#\s*([\w.-]+\.(?:yaml|yml|toml|py))\b")
_NAMED_BEFORE = re.compile(r"`([\w.-]+\.\w+)`:\s*$")
_HEADING = re.compile(r"^(#{1,6}) (.+?)\s*$")
_LINK = re.compile(r"(?<!\\)!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: From the project's folder.
        line: Of its first line of text, from 1.
        language: Behind the fence; empty without one.
        text: Without the fences and their indentation.
        name: Of the file that it is: what its first comment names, or the line before it (`` `people.csv`: ``).
    """

    page: str
    line: int
    language: str
    text: str
    name: str | None = None

    @property
    def place(self) -> str:
        """For the names of tests and for errors."""
        return f"{self.page}:{self.line}"


def page_name(path: Path) -> str:
    """How a page is called here."""
    return path.relative_to(PROJECT).as_posix()


def blocks_of(page: str, text: str) -> list[Block]:
    """The fenced blocks of a page, in their order.

    Raises:
        ValueError: when one is never closed.
    """
    found: list[Block] = []
    before = ""
    lines = enumerate(text.splitlines(), start=1)
    for number, line in lines:
        if (fence := _FENCE.match(line)) is None:
            before = line or before
            continue
        inside = list(_until(fence[2], fence[1], lines, f"{page}:{number}"))
        block = "".join(f"{each}\n" for each in inside)
        named = _NAMED_INSIDE.match(block) or _NAMED_BEFORE.search(before)
        found.append(Block(page, number + 1, fence[3].strip(), block, named and named[1]))
        before = ""
    return found


def _until(fence: str, indent: str, lines: Iterator[tuple[int, str]], place: str) -> Iterator[str]:
    for _, line in lines:
        if line.strip() == fence:
            return
        yield line.removeprefix(indent)
    msg = f"{place}: the block is never closed"
    raise ValueError(msg)


def prose_of(text: str) -> str:
    """A page without its blocks and without code in the line, which hold no links and no headings."""
    kept, inside = [], ""
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if fence and inside in ("", fence[2]):
            inside = "" if inside else fence[2]
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def links_of(text: str) -> list[str]:
    """What a page links to."""
    return _LINK.findall(re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "code", prose_of(text)))


def anchors_of(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    seen: Counter[str] = Counter()
    anchors = set()
    for line in prose_of(text).splitlines():
        if heading := _HEADING.match(line):
            slug = slug_of(heading[2])
            anchors.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
    return anchors


def slug_of(heading: str) -> str:
    """A heading as GitHub writes it in an address: small letters, blanks as hyphens, and no other signs."""
    shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")


BLOCKS = [block for path in PAGES for block in blocks_of(page_name(path), path.read_text("utf-8"))]
