"""Where ``--json`` goes: a file, or stdout and nothing else there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from nightbench.cli.telling import silence, tell
from nightbench.cli.terminal import Terminal
from nightbench.errors import ExitCode
from nightbench.files import reason
from nightbench.output_file import OutputFile

STDOUT = "-"


class JsonOutput:
    """The place of one JSON document.

    Args:
        place: A file, ``-`` for stdout, or None for no document.

    Attributes:
        written: The file, once the document is in it.

    Raises:
        ConfigurationError: when the file cannot be written; told before anything is measured.
    """

    def __init__(self, place: str | None) -> None:
        self._place = place
        self.written: Path | None = None
        self._file = None
        if place is not None and place != STDOUT:
            self._file = OutputFile("--json", place, instead="name a file, or - for stdout")

    @property
    def summary_console(self) -> Terminal | None:
        """Where the summary for people goes: stdout, unless the document has it for itself."""
        return None if self._place == STDOUT else Terminal()

    def write(self, document: dict[str, Any], code: ExitCode) -> ExitCode:
        """Write the document, whole or not at all; a reader of stdout that has left is none of our business.

        Args:
            document: JSON-like, without a NaN.
            code: What came of the run.

        Returns:
            `code`; when the document could not be written after all, which is told, a pass is none any more.
        """
        if self._place is None:
            return code
        text = json.dumps(document, allow_nan=False, indent=2) + "\n"
        try:
            if self._file is None:
                _print(text)
            else:
                self._file.write(text.encode())
                self.written = self._file.path
        except OSError as error:
            tell(f"--json = {self._place!r}: cannot be written: {reason(error)}")
            return ExitCode(code or ExitCode.INVALID)
        return code


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError:
        silence(sys.stdout)
        raise
