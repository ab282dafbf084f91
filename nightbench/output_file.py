"""The file that a flag names for what a command has to give: looked at before the work, written after it."""

from __future__ import annotations

from pathlib import Path

from nightbench.errors import ConfigurationError
from nightbench.files import check_writable, write_whole


class OutputFile:
    """One file, which may be a device or a named pipe.

    Args:
        flag: Its name, such as ``--json``.
        place: The file.
        instead: What to do when it is a folder.

    Attributes:
        path: The file.

    Raises:
        ConfigurationError: when it cannot be written, naming the flag.
    """

    def __init__(self, flag: str, place: str, *, instead: str) -> None:
        self.path = Path(place)
        if self.path.is_dir():
            raise ConfigurationError(flag, place, "is a folder", instead)
        if not self.path.parent.is_dir():
            problem = f"there is no folder {self.path.parent}"
            raise ConfigurationError(flag, place, problem, "create it first")
        if not self._is_device():
            check_writable(flag, self.path.parent)

    def write(self, content: bytes) -> None:
        """Write it, whole or not at all.

        Raises:
            OSError: when it cannot be written.
        """
        if self._is_device():  # /dev/stdout, /dev/null, a named pipe: never to be replaced by a file
            self.path.write_bytes(content)
        else:
            write_whole(self.path, lambda file: file.write(content))

    def _is_device(self) -> bool:
        return self.path.exists() and not self.path.is_file()
