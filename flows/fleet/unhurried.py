"""Preloaded by the workers of a cluster of this machine's: a terminal's Ctrl-C is for whoever runs the load test.

It would end the workers at once, and what they have measured would be lost.
"""

from __future__ import annotations

import signal

from distributed import Worker


def dask_setup(_worker: Worker) -> None:
    """Called by Dask in the main thread of the worker's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
