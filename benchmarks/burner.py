"""Burns one core until its parent has gone or ends it. Run as a program: ``python -m benchmarks.burner``."""

from __future__ import annotations

import os


def main() -> None:
    """Count, and look up now and then."""
    parent = os.getppid()
    while os.getppid() == parent:
        for _ in range(100_000):
            pass


if __name__ == "__main__":
    main()
