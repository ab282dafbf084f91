"""The consoles of the command line: a reader that has gone away is no reason to lose a measurement."""

from __future__ import annotations

import sys
from typing import IO, Any

from rich.console import Console

from nightbench.cli.telling import silence, tell
from nightbench.files import reason


class Terminal(Console):
    """stdout or stderr, until it cannot be written to any more; then it is quiet.

    rich itself exits with code 1 when a pipe is closed, and lets through what a terminal that was closed
    gives.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        # a stream is None when its descriptor was closed before the start
        forgiving = _Forgiving(stream, say_so=not stderr) if stream else None
        super().__init__(file=forgiving, quiet=stream is None)  # type: ignore[arg-type]  # as much of a file as rich asks for


class _Forgiving:
    """A text file that swallows what is written after the first failure.

    With `say_so` it tells of that on stderr, which must not be a console that is writing at that moment:
    rich's locks would wait for each other.
    """

    def __init__(self, stream: IO[str], *, say_so: bool) -> None:
        self._stream = stream
        self._say_so = say_so
        self._broken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        if not self._broken:
            try:
                self._stream.write(text)
            except OSError as error:
                self._break(error)
        return len(text)

    def flush(self) -> None:
        if not self._broken:
            try:
                self._stream.flush()
            except OSError as error:
                self._break(error)

    def _break(self, error: OSError) -> None:
        self._broken = True
        silence(self._stream)
        if self._say_so and not isinstance(
            error, BrokenPipeError
        ):  # a full disk is news, a reader that left is not
            tell(f"cannot go on writing to {self._stream.name}: {reason(error)}")
