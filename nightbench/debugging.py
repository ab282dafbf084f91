"""Where an error came from, for whoever asks for it with ``NIGHTBENCH_DEBUG=1``."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress

from nightbench.scrub import scrub
from nightbench.variables import DEBUG


def show_traceback(error: BaseException) -> bool:
    """Write the traceback of `error` to stderr, notes included and without secrets, if it is wanted.

    Returns:
        Whether it is.
    """
    if not os.environ.get(DEBUG):
        return False
    with suppress(OSError, ValueError):
        sys.stderr.write(scrub("".join(traceback.format_exception(error))))
        sys.stderr.flush()
    return True
