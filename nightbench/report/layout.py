"""Lines of at most 80 columns: tables, pairs and paragraphs that never cut off a value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from nightbench.history.record import clean_text
from nightbench.visible import visible

WIDTH = 80
INDENT = "  "
GAP = 2

_WHOLE = 100
"""Percent from which on no decimal is told."""

GOOD, BAD, UNSURE, HEADING, DIM = "green", "bold red", "yellow", "bold", "dim"

_ASCII = str.maketrans(
    {
        "✓": "ok",
        "✗": "MISSED",
        "–": "-",
        "−": "-",
        "—": "-",
        "·": "|",
        "…": "...",
        "×": "x",
        "µ": "u",
        "≥": ">=",
        "≤": "<=",
        "─": "-",
    }
)


class Page:
    """Writes lines to a console, in the characters that its encoding has."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.ascii = not _takes(console.encoding, "✓✗–·…×µ≥≤─")
        self.met = self.said("✓")
        self.missed = self.said("✗")
        self.verdict_missed = self.missed if self.ascii else f"{self.missed} missed"
        self.worse = "" if self.ascii else f"{self.missed} "

    def said(self, text: str) -> str:
        """`text` as the console's encoding can say it, without control characters."""
        shown = visible(text)
        if not self.ascii:
            return shown
        return shown.translate(_ASCII).encode("ascii", "replace").decode()

    def line(self, *parts: str | tuple[str, str]) -> None:
        """One line of plain and ``(text, style)`` parts; the caller keeps it within `WIDTH`."""
        text = Text()
        for part in parts:
            words, style = part if isinstance(part, tuple) else (part, "")
            text.append(self.said(words), style)
        text.rstrip()
        # soft_wrap: the lines are laid out here, rich neither wraps nor crops them
        self._console.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)

    def heading(self, title: str) -> None:
        """An empty line and a title."""
        self.line()
        self.line((title, HEADING))

    def paragraph(self, text: str, *, first: str = INDENT, rest: str = INDENT, style: str = "") -> None:
        """Free text, scrubbed and wrapped; words longer than a line are folded, not cut off."""
        head = first
        for words in self.wrapped(clean_text(text), WIDTH - cell_len(self.said(rest))):
            self.line(head, (words, style))
            head = rest

    def wrapped(self, text: str, width: int) -> list[str]:
        """`text` in lines of at most `width` cells."""
        lines = Text(self.said(text)).wrap(self._console, max(width, 8), overflow="fold")
        return [line.plain.rstrip() for line in lines] or [""]

    def pairs(
        self, pairs: Iterable[tuple[str, str]], *, first: str = INDENT, gap: int = 3, style: str = ""
    ) -> None:
        """``label value`` pairs side by side, as many as fit on a line.

        Args:
            pairs: What stands side by side.
            first: What stands before the first of them, and as much room before each further line.
            gap: Columns between two of them.
            style: Of all of it.
        """
        head, line = self.said(first), ""
        rest = " " * cell_len(head)
        for label, value in pairs:
            pair = self.said(f"{label} {value}" if label else value)
            if line and cell_len(rest) + cell_len(line) + gap + cell_len(pair) > WIDTH:
                self._kept(line, head, rest, style)
                head, line = rest, ""
            line = f"{line}{' ' * gap}{pair}" if line else pair
        if line:
            self._kept(line, head, rest, style)

    def _kept(self, line: str, head: str, rest: str, style: str) -> None:
        if cell_len(rest) + cell_len(line) <= WIDTH:
            self.line((head + line, style))
        else:
            self.paragraph(line, first=head, rest=rest, style=style)

    def table(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        styles: Sequence[str] = (),
        *,
        left: int = 1,
        under: Sequence[Sequence[str]] = (),
    ) -> None:
        """Aligned columns under a heading, the first `left` of them to the left, the others to the right.

        Args:
            head: One title a column; the first one is the table's own and starts at the margin.
            rows: One text a column.
            styles: One style a row.
            left: How many columns are aligned to the left.
            under: Sentences that stand below each row, each a paragraph of its own.
        """
        title, *columns = head
        # the title starts left of the rows' labels and may be as much longer than they
        said = [[self.said(cell) for cell in row] for row in ([title[len(INDENT) :], *columns], *rows)]
        widths = [max(cell_len(row[column]) for row in said) for column in range(len(head))]
        room = WIDTH - len(INDENT) - sum(widths[1:]) - GAP * (len(widths) - 1)
        widths[0] = min(widths[0], max(room, 0))
        for row, style, margin, sentences in zip(
            [[self.said(title), *said[0][1:]], *said[1:]],
            [HEADING, *(styles or [""] * len(rows))],
            ["", *[INDENT] * len(rows)],
            [(), *(under or [()] * len(rows))],
            strict=True,
        ):
            self._row(row, widths, style, left=left, margin=margin)
            for sentence in sentences:
                self.paragraph(sentence, first=INDENT * 3, rest=INDENT * 3, style=DIM)

    def _row(self, row: Sequence[str], widths: Sequence[int], style: str, *, left: int, margin: str) -> None:
        first, *others = row
        label_width = len(INDENT) - len(margin) + widths[0]
        if cell_len(first) > label_width:
            # its label has a line, or more, of its own
            self.paragraph(first, first=margin, style=style)
            first = ""
        cells = [margin + _padded(first, label_width, to_left=True)]
        cells += [
            _padded(cell, width, to_left=column < left)
            for column, (cell, width) in enumerate(zip(others, widths[1:], strict=True), start=1)
        ]
        line = (" " * GAP).join(cells)
        if cell_len(line.rstrip()) > WIDTH:
            self.paragraph(
                "   ".join(cell for cell in others if cell), first=INDENT * 2, rest=INDENT * 2, style=style
            )
        else:
            self.line((line, style))


def number(value: float | None, unit: str = "") -> str:
    """A value with the digits that it deserves, and its unit; a dash when it is missing."""
    if value is None or not math.isfinite(value):
        return "–"
    return with_unit(_digits(value, unit), unit)


def with_unit(figure: str, unit: str) -> str:
    """A figure with its unit, where there is one: a count and a plain ratio have none."""
    return figure if unit in {"", "1"} else f"{figure} {unit}"


def change(effect: float | None) -> str:
    """A relative change as a signed percentage; a dash when it is not known."""
    if effect is None or not math.isfinite(effect):
        return "–"
    return f"{signed(effect)} %"


def signed(effect: float | None) -> str:
    """The same without its unit, for the two ends of an interval."""
    if effect is None or not math.isfinite(effect):
        return "?"
    places = 0 if abs(100 * effect) >= _WHOLE else 1
    return f"{round(100 * effect, places) + 0.0:+,.{places}f}".replace("-", "−")


def percent(share: float) -> str:
    """A relative size without a sign: ``5.4 %``."""
    return f"{100 * share:,.{0 if abs(100 * share) >= _WHOLE else 1}f} %"


def count(value: int) -> str:
    """A whole number with thousands apart."""
    return f"{value:,}"


def _digits(value: float, unit: str) -> str:
    size = abs(value)
    if unit in {"1", ""} and value == int(value):
        return f"{value:,.0f}"
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.1f}"
    if unit == "%" and size > 99:
        # 99.9996 % is not 100 %
        return f"{math.floor(value * 1000) / 1000:.3f}"
    return f"{value:.3f}" if 0 < size < 1 else f"{value:.2f}"


def _padded(cell: str, width: int, *, to_left: bool) -> str:
    fill = " " * max(0, width - cell_len(cell))
    return cell + fill if to_left else fill + cell


def _takes(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
