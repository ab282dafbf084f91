"""What goes to stderr: one line each, so that stdout stays whole. And what happens when nobody listens."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import IO

from nightbench.visible import visible


def tell(text: str) -> None:
    """Write one line to stderr, whatever line breaks are in `text`; nobody there is no reason to fail."""
    try:
        print(f"nightbench: {' '.join(visible(text).split())}", file=sys.stderr, flush=True)  # noqa: T201  # its purpose
    except (OSError, ValueError):
        silence(sys.stderr)


def silence(stream: IO[str]) -> None:
    """Let `stream` lead nowhere from now on.

    What is still in its buffer would fail again when the interpreter ends, and change the exit code.
    """
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
