"""Progress as lines of a log, for runs that no terminal watches."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from nightbench.load.progress import OnProgress
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


@contextmanager
def logged_progress(logger: Logger, label: str) -> Iterator[OnProgress]:
    """What a pipe would get of a running suite, as information in `logger`."""
    console = Console(file=_LogLines(logger), width=200, force_terminal=False, color_system=None)
    with progress_display(console, label=label) as on_progress:
        yield on_progress
