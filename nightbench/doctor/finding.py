"""What a check found: a line that is well or not, why, and the command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingState = Literal["ok", "warning", "failure"]


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
