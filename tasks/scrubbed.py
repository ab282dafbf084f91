"""Errors on their way into Prefect's states and logs, which leave the machine: without secrets."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from nightbench.errors import MeasurementError, NightbenchError
from nightbench.scrub import scrub, scrub_long, scrub_tree

P = ParamSpec("P")
T = TypeVar("T")


def scrubbed(step: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Make what `step` raises safe to be stored by a Prefect server; stands below ``@task`` and ``@flow``."""

    @functools.wraps(step)
    async def safe(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await step(*args, **kwargs)
        except BaseException as error:
            told = "".join(traceback.format_exception(error, limit=0))  # where from, the logs tell, scrubbed
            if scrub(told) == told:
                raise
            raise _without_secrets(error) from None

    return safe


def _without_secrets(error: BaseException) -> BaseException:
    if isinstance(error, Exception) and not isinstance(error, NightbenchError):
        safe = MeasurementError(f"{type(error).__name__}: {scrub(str(error))}")
        safe.add_note(scrub_long("".join(traceback.format_exception(error))))  # where it came from
        return safe
    # of a kind that others wait for, such as one that ends the process: the same, in other words
    error.args = tuple(scrub_tree(list(error.args)))
    for name, value in vars(error).items():
        if isinstance(value, str | dict | list | tuple):
            setattr(error, name, scrub_tree(value))
    if isinstance(error, SystemExit):
        error.code = scrub_tree(error.code)
    error.__context__ = None  # which others may still show
    return error
