"""Where ``--json`` goes: a file, or stdout and nothing else there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from nightbench.cli.telling import silence, tell
from nightbench.cli.terminal import Terminal
from nightbench.errors import ConfigurationError, ExitCode
from nightbench.files import check_writable, reason, write_whole

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
        if place is None or place == STDOUT:
            return
        path = Path(place)
        if path.is_dir():
            raise ConfigurationError("--json", place, "is a folder", "name a file, or - for stdout")
        if not path.parent.is_dir():
            raise ConfigurationError("--json", place, f"there is no folder {path.parent}", "create it first")
        if not _is_device(path):
            check_writable("--json", path.parent)

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
            if self._place == STDOUT:
                _print(text)
            else:
                _write(Path(self._place), text.encode())
                self.written = Path(self._place)
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


def _write(path: Path, content: bytes) -> None:
    if _is_device(path):  # /dev/stdout, /dev/null, a named pipe: never to be replaced by a file
        path.write_bytes(content)
    else:
        write_whole(path, lambda file: file.write(content))


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file()
