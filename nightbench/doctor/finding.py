"""What a check found: a line that is well or not, why, and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from nightbench.history.record import clean_text

FindingState = Literal["ok", "warning", "failure"]
_WORSE: tuple[FindingState, ...] = get_args(FindingState)


@dataclass(frozen=True)
class Finding:
    """One line.

    Attributes:
        area: What it is about, a heading of the list: ``subject``, ``host``, ``results``, ``prefect``, ``alerts``.
        name: Of the check, in words: ``PostgreSQL``, ``open files``.
        state: ``warning``: a night may be spoilt, or less is known than could be; ``failure``: it will be.
        why: One sentence with the figures, free of secrets.
        mend: The command or setting that mends it; empty where it is well.
    """

    area: str
    name: str
    state: FindingState
    why: str
    mend: str = ""


@dataclass(frozen=True)
class Topic:
    """What a check is about; makes its findings, whose text is scrubbed and one line.

    Attributes:
        area, name: See `Finding`.
    """

    area: str
    name: str

    def ok(self, why: str) -> Finding:
        """It is well."""
        return Finding(self.area, self.name, "ok", _one_line(why))

    def warning(self, why: str, mend: str) -> Finding:
        """It may spoil a night."""
        return Finding(self.area, self.name, "warning", _one_line(why), _one_line(mend))

    def failure(self, why: str, mend: str) -> Finding:
        """It will spoil a night."""
        return Finding(self.area, self.name, "failure", _one_line(why), _one_line(mend))


def worst_of(findings: Iterable[Finding]) -> FindingState:
    """The worst state among `findings`; ok where there are none."""
    return max((each.state for each in findings), key=_WORSE.index, default="ok")


def _one_line(text: str) -> str:
    return " ".join(clean_text(text).split())
