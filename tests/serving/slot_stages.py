"""Suites that write down when they loaded their subject."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import staged
from builders import invalidated
from staging import touch


def _say(what: str) -> None:
    file = Path(os.environ["NIGHTBENCH_RESULTS"]) / f"{os.environ['PREFECT__FLOW_RUN_ID']}.loads"
    with file.open("a") as log:
        log.write(f"{what} {time.monotonic_ns()}\n")


async def briefly(measurement, _stop):
    """A suite that loads for a moment."""
    _say("begin")
    await asyncio.sleep(0.05)
    _say("end")
    return measurement


async def slower(measurement, stop):
    """One that loads for a moment, and finds everything a fifth slower."""
    return staged.slower(await briefly(measurement, stop), stop)


async def until_stopped(measurement, stop):
    """A suite that loads until it is asked to end early."""
    _say("begin")
    touch("began")
    await stop.wait()
    _say("end")
    return invalidated(measurement, complete=False)
