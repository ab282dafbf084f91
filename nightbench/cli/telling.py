"""What goes to stderr: one line each, so that stdout stays whole."""

from __future__ import annotations

import sys


def tell(text: str) -> None:
    """Write one line to stderr, whatever line breaks are in `text`."""
    print(f"nightbench: {' '.join(text.split())}", file=sys.stderr, flush=True)  # noqa: T201  # its purpose
