"""What a profiler needs to be safe on older interpreters."""

from __future__ import annotations

import gc
import sys
from types import FrameType, ModuleType
from typing import Any, Final

HANGS: Final = sys.version_info < (3, 11, 9)
"""Before that, collecting garbage inside of ``sys._current_frames`` could stop every thread for good when another one
was just being started: https://github.com/python/cpython/issues/106883."""


def current_frames() -> dict[int, FrameType]:
    """`sys._current_frames` while no garbage is collected, as later interpreters have it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        return sys._current_frames()  # noqa: SLF001  # what every sampling profiler of CPython asks
    finally:
        if was_on:
            gc.enable()


class _Sys(ModuleType):
    """The module ``sys`` with `current_frames` in the place of its own."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


def make_safe() -> None:
    """Have the SDK's profiler ask `current_frames`, where the interpreter would need it."""
    if not HANGS:
        return
    from sentry_sdk.profiler import continuous_profiler  # noqa: PLC0415  # importing this room must stay quick

    safe = _Sys("sys")
    vars(safe)["_current_frames"] = current_frames
    vars(continuous_profiler)["sys"] = safe
