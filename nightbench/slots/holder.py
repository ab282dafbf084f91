"""Who holds a slot, as its file and those who wait are told."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Self

from nightbench.visible import visible

_MOST = 64
"""Characters of a name: what a file says is not believed to be short."""


@dataclass(frozen=True)
class Holder:
    """A run that loads a subject.

    Attributes:
        who: What it is: the flow, or the command.
        where: How to find it, such as ``process 4711``.
        since: When it began, ISO 8601 in UTC; empty where nobody knows.
    """

    who: str
    where: str
    since: str

    @classmethod
    def this_process(cls, who: str) -> Self:
        """This process, from now on."""
        return cls(who, f"process {os.getpid()}", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")

    @classmethod
    def read(cls, content: bytes) -> Self | None:
        """What `written` gave; None for anything else, as of a file that is being written."""
        try:
            told = json.loads(content)
            texts = {name: visible(str(told[name]))[:_MOST] for name in ("who", "where", "since")}
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return cls(**texts)

    def written(self) -> bytes:
        """As it stands in the file of a slot."""
        return json.dumps(asdict(self)).encode()

    def __str__(self) -> str:
        since = self.since.replace("T", " ").replace("Z", " UTC")
        return f"{self.who} ({self.where}{f', since {since}' if since else ''})"


@dataclass(frozen=True)
class Busy:
    """A slot that cannot be had now.

    Attributes:
        label: Of its key.
        holder: Who has it, or is before us in the line; None where nobody knows.
        waits: Whether that one waits as well.
        way_out: What else may be done about it.
    """

    label: str
    holder: Holder | None
    waits: bool = False
    way_out: str = ""

    def __str__(self) -> str:
        whom = str(self.holder) if self.holder else "another run"
        if self.waits:
            return f"{self.label} is to be loaded by {whom} first, which waits as well"
        return f"{self.label} is being loaded by {whom}"
