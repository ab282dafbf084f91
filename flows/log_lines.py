"""Progress as lines of the flow run's log, for runs that no terminal watches."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from nightbench.load.progress import OnProgress
from nightbench.night import Display
from nightbench.plan import Tier
from nightbench.report.progress import progress_display

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


class _LogLines(io.StringIO):
    """A text file whose lines are log records."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.strip():
                self._logger.info("%s", line.rstrip())
        return len(text)


def logged_display(logger: Logger) -> Display:
    """A display that writes the lines of a pipe to `logger`."""
    console = Console(file=_LogLines(logger), width=200, force_terminal=False, color_system=None)

    @contextmanager
    def display(tier: Tier) -> Iterator[OnProgress]:
        with progress_display(console, label=tier) as on_progress:
            yield on_progress

    return display
