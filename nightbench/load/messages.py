"""How what became of a piece of work travels between processes: plain data, without secrets."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Any

from nightbench.errors import ConfigurationError, MeasurementError, NotBegunError
from nightbench.scrub import scrub


@dataclass(frozen=True)
class Result:
    """It came to its end."""

    value: Any = field(repr=False)


@dataclass(frozen=True)
class Refused:
    """A setting cannot be used."""

    setting: str
    value: str
    problem: str
    way_out: str


@dataclass(frozen=True)
class Ended:
    """It ended without a result, and says why."""

    why: str


@dataclass(frozen=True)
class Failed:
    """It broke."""

    summary: str
    traceback: str


@dataclass(frozen=True)
class NotBegun:
    """It was to end before it had begun."""


Message = Result | Refused | Ended | Failed | NotBegun


def message_of(error: Exception) -> Message:
    """What is told of an error, scrubbed."""
    if isinstance(error, ConfigurationError):
        return Refused(error.setting, str(error.value), error.problem, error.way_out)
    if isinstance(error, MeasurementError):  # as of a generator of its own
        return Ended(str(error))
    if isinstance(error, NotBegunError):
        return NotBegun()
    return Failed(scrub(f"{type(error).__name__}: {error}"), scrub(traceback.format_exc()))


def value_of(message: Message) -> Any:
    """The result that is told.

    Raises:
        ConfigurationError: for one that was told.
        NotBegunError: when that was told.
        MeasurementError: for anything else.
    """
    match message:
        case Result(value):
            return value
        case Refused(setting, value, problem, way_out):
            raise ConfigurationError(setting, value, problem, way_out)
        case Ended(why):
            raise MeasurementError(why)
        case NotBegun():
            raise NotBegunError
        case Failed(summary, details):
            error = MeasurementError(f"the load generator failed: {summary}")
            error.add_note(details)
            raise error
