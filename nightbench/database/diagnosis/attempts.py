"""Each thing that a diagnosis tries by itself: what fails takes no other with it, and is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg

from nightbench.scrub import one_line

Found = TypeVar("Found")


class NotLookedAtError(Exception):
    """Something could not be looked at; says why."""


def reason_of(error: Exception) -> str:
    """Why something failed, on one line; of what a server says without the detail, which repeats rows."""
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    reason = one_line(said or str(error))
    if isinstance(error, psycopg.Error | OSError | NotLookedAtError):
        return reason or type(error).__name__
    return f"it failed, which is an error of nightbench: {type(error).__name__}: {reason}"


class Attempts:
    """What was tried.

    Attributes:
        absent: What came to nothing, and why; a sentence each.
    """

    def __init__(self) -> None:
        self.absent: list[str] = []

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Whatever the block raises, `what` is absent, and nothing else."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever it is: it was measured, and that is not lost
            self.absent.append(f"{what}: {reason_of(error)}")

    def at(self, what: str, find: Callable[[], Found], otherwise: Found) -> Found:
        """What `find` finds, `otherwise` when it fails."""
        found: list[Found] = []
        with self.of(what):
            found.append(find())
        return found[0] if found else otherwise
