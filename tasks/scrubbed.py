"""Errors on their way into Prefect's states and logs, which leave the machine: without secrets."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from nightbench.errors import MeasurementError, NightbenchError
from nightbench.scrub import scrub

P = ParamSpec("P")
T = TypeVar("T")


def scrubbed(step: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Make what `step` raises safe to be stored by a Prefect server; stands below ``@task`` and ``@flow``."""

    @functools.wraps(step)
    async def safe(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await step(*args, **kwargs)
        except Exception as error:
            told = "".join(traceback.format_exception(error))
            if scrub(told) == told:
                raise
            raise _without_secrets(error) from None

    return safe


def _without_secrets(error: Exception) -> Exception:
    text = scrub(str(error))
    if not isinstance(error, NightbenchError):
        safe = MeasurementError(f"{type(error).__name__}: {text}")
        safe.add_note(scrub("".join(traceback.format_exception(error))))  # where it came from
        return safe
    error.args = (text,)
    error.__notes__ = [scrub(note) for note in getattr(error, "__notes__", ())]
    return error
