"""``nightbench`` with a clock at each part of a night: ``python -m benchmarks.night_parts FILE run nightly --quick``.

Parts follow one another, but for `database` and `websocket`, which are the load and what is around it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil

PARTS: defaultdict[str, float] = defaultdict(float)
"""Seconds by part."""


def _timed(part: str, step: Callable[..., Any]) -> Callable[..., Any]:
    """`step`, whose time counts for `part`."""
    if inspect.iscoroutinefunction(step):

        @functools.wraps(step)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            began = time.monotonic()
            try:
                return await step(*args, **kwargs)
            finally:
                PARTS[part] += time.monotonic() - began

        return awaited

    @functools.wraps(step)
    def called(*args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        try:
            return step(*args, **kwargs)
        finally:
            PARTS[part] += time.monotonic() - began

    return called


def _watch() -> Callable[..., Any]:
    """Put the clocks where the parts are; the command line."""
    from flows.in_process import engine, server  # noqa: PLC0415  # to import it is a part
    from nightbench import cli, night  # noqa: PLC0415
    from nightbench.database import stress_test  # noqa: PLC0415
    from nightbench.websocket import load_test  # noqa: PLC0415

    places: tuple[tuple[str, Any, str], ...] = (
        ("wait for the server", server.EmbeddedServer, "ready"),
        ("check", night.Night, "check"),
        ("calibration", night.Night, "_calibrated"),
        ("websocket", load_test, "run"),
        ("database", stress_test, "run"),
        ("record", night.Night, "record"),
        ("judge", night.Night, "judge"),
        ("alerts", night.Night, "put_alerts"),
        ("delivery", night.Night, "deliver"),
    )
    for part, owner, name in places:
        setattr(owner, name, _timed(part, getattr(owner, name)))
    # the module's own name for it: others import late as well
    imports = SimpleNamespace(import_module=_timed("import of flows", importlib.import_module))
    vars(engine)["importlib"] = imports
    vars(night)["provide"] = _timed_subject(vars(night)["provide"])
    return cli.main


def _timed_subject(provide: Callable[..., Any]) -> Callable[..., Any]:
    @asynccontextmanager
    async def subject(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        manager = provide(*args, **kwargs)
        started = await _timed("start of the subject", manager.__aenter__)()
        try:
            yield started
        finally:
            await _timed("end of the subject", manager.__aexit__)(None, None, None)

    return subject


def main(file: str, *arguments: str) -> None:
    """Run the command line with `arguments`; write the seconds of each part, as JSON, when it ends."""
    PARTS["interpreter"] = time.time() - psutil.Process().create_time()
    command = _timed("import of nightbench", _watch)()
    began = time.monotonic()
    try:
        command(arguments)
    finally:
        PARTS["command"] = time.monotonic() - began
        Path(file).write_text(json.dumps(PARTS), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
