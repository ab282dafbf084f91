"""The flows as a deployment of the tests has them: in the process of a flow run, with staged suites.

A runner loads it as well, for the hooks of the flows.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from flows.nightly import nightly

__all__ = ["nightly"]


async def hang(measurement, _stop):
    """A suite that never ends."""
    (Path(os.environ["NIGHTBENCH_RESULTS"]) / "hangs").write_text(str(os.getpid()))
    await asyncio.Event().wait()
    return measurement


if os.environ.get("STAGED_SUITES") and "PREFECT__FLOW_RUN_ID" in os.environ:
    from staged import Stages, provide_staged_subject, staged_host

    import nightbench.night
    from nightbench.database import stress_test
    from nightbench.websocket import load_test

    stages = Stages({"baseline websocket": hang})
    load_test.run = stages.websocket
    stress_test.run = stages.database
    nightbench.night.provide = provide_staged_subject
    nightbench.night.calibrate_host = staged_host
