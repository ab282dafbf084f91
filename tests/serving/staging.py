"""Suites of a flow run of the shared stack that need no backend; `sitecustomize` calls it before Prefect begins."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path

from staged import Stages, provide_staged_subject, staged_host

import nightbench.night
from nightbench.database import stress_test
from nightbench.websocket import load_test


def stage(suites: str) -> None:
    """Put staged suites in the place of the real ones.

    `suites` is JSON: ``{"full websocket": "staged:until_stopped"}``, module and name of what stands in for a suite;
    one that is not named runs well.
    """
    stages = Stages({suite: _named(name) for suite, name in json.loads(suites).items()})
    load_test.run = stages.websocket
    stress_test.run = stages.database
    nightbench.night.provide = provide_staged_subject
    nightbench.night.calibrate_host = staged_host


def _named(name: str):
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def touch(name: str) -> None:
    folder = Path(os.environ["NIGHTBENCH_RESULTS"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{os.environ['PREFECT__FLOW_RUN_ID']}.{name}").write_text(str(os.getpid()))


async def until_stopped(measurement, stop):
    """A suite that runs until it is asked to end early; `Stack.began` sees it."""
    from builders import invalidated

    touch("began")
    await stop.wait()
    return invalidated(measurement, complete=False)


async def hang(measurement, _stop):
    """A suite that never ends; `Stack.began` sees it."""
    import asyncio

    touch("began")
    await asyncio.Event().wait()
    return measurement
