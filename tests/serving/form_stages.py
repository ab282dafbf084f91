"""Suites of the runs that a browser watches."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path


async def until_looked_at(measurement, stop):
    """A suite that runs until the browser has seen it run: until there is a file."""
    looked_at = Path(os.environ["NIGHTBENCH_RESULTS"]) / "looked-at"
    while not looked_at.exists() and not stop.is_set():  # noqa: ASYNC110  # another process makes the file
        await asyncio.sleep(0.1)
    return measurement
