"""``python -m nightbench.reference``: the child process that a run starts; one JSON line when it is ready."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from nightbench.errors import NightbenchError
from nightbench.processes import watch_lifeline
from nightbench.reference.staging import Staging
from nightbench.reference.supervisor import Watch, supervise


def main() -> int:
    """Run until standard input ends or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m nightbench.reference", description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder of templates and instances")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the parent's to decide on
    watch_lifeline(lambda: os.kill(os.getpid(), signal.SIGTERM))
    try:
        supervise(
            arguments.cache,
            "reference",
            Staging(),
            watch=_watch(),
            announce=lambda address: print(address.as_line(), flush=True),  # noqa: T201  # what the parent reads
        )
    except NightbenchError as error:
        print(error, file=sys.stderr)  # noqa: T201  # what the parent tells
        return error.exit_code
    return 0


def _watch() -> Watch | None:
    """As the parent's settings have it; SENTRY_DSN may be meant for anything, and would change what is measured."""
    dsn = os.environ.get("NIGHTBENCH_REFERENCE_SENTRY_DSN")
    return Watch(dsn, os.environ.get("NIGHTBENCH_ENVIRONMENT", "local")) if dsn else None


if __name__ == "__main__":
    sys.exit(main())
