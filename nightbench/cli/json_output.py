"""Where ``--json`` goes: a file, or stdout and nothing else there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.files import reason, write_whole
from nightbench.report.document import document_text

STDOUT = "-"


class JsonOutput:
    """The place of one JSON document.

    Args:
        place: A file, ``-`` for stdout, or None for no document.

    Raises:
        ConfigurationError: when the file cannot be written; told before anything is measured.
    """

    def __init__(self, place: str | None) -> None:
        self._place = place
        if place is None or place == STDOUT:
            return
        path = Path(place)
        if path.is_dir():
            raise ConfigurationError("--json", place, "is a folder", "name a file, or - for stdout")
        if not path.parent.is_dir():
            raise ConfigurationError("--json", place, f"there is no folder {path.parent}", "create it first")

    @property
    def summary_console(self) -> Console | None:
        """Where the summary for people goes: stdout, unless the document has it for itself."""
        return None if self._place == STDOUT else Console()

    def write(self, document: dict[str, Any]) -> None:
        """Write the document, whole or not at all.

        Raises:
            MeasurementError: when the file cannot be written after all.
        """
        if self._place is None:
            return
        text = document_text(document, indent=2) + "\n"
        if self._place == STDOUT:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        try:
            write_whole(Path(self._place), lambda file: file.write(text.encode()))
        except OSError as error:
            msg = f"--json = {self._place!r}: cannot be written: {reason(error)}"
            raise MeasurementError(msg) from None
