"""What can go wrong before, during and after a measurement, and the exit code that says so."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final


class ExitCode(IntEnum):
    """What the shell and CI see."""

    MET = 0
    """Every target was met."""
    MISSED = 1
    """A target was missed, or a regression was found."""
    WRONG_USE = 2
    """The command or its configuration was wrong; nothing was measured."""
    INVALID = 3
    """The measurement is invalid, incomplete or unreadable."""
    INTERRUPTED = 130
    """Ctrl-C before the run began or after it had ended; as shells have it, 128 and the number of the signal."""


class _NotGiven(Enum):
    NOT_GIVEN = "not given"


NOT_GIVEN: Final = _NotGiven.NOT_GIVEN
"""The value of a flag or argument that was left out."""


class NightbenchError(Exception):
    """An error that is told in one line, without a traceback.

    The text must already be free of secrets: pass values through `nightbench.scrub.scrub`.
    """

    exit_code = ExitCode.INVALID


class ConfigurationError(NightbenchError):
    """A setting, flag or plan that cannot be used; nothing has been measured yet.

    Args:
        setting: The name that the user knows it by: a flag, an environment variable, a field of a file.
        value: What was given, already scrubbed, or `NOT_GIVEN`.
        problem: What is wrong with it.
        way_out: What to do about it.
    """

    exit_code = ExitCode.WRONG_USE

    def __init__(self, setting: str, value: object, problem: str, way_out: str = "") -> None:
        self.setting = setting
        self.value = value
        self.problem = problem
        self.way_out = way_out
        text = f"{setting}: {problem}" if value is NOT_GIVEN else f"{setting} = {value!r}: {problem}"
        super().__init__(f"{text}; {way_out}" if way_out else text)


class MeasurementError(NightbenchError):
    """A measurement that could not be made or kept: its subject or its generator gave no result."""


class NotBegunError(NightbenchError):
    """A run that was interrupted before its load began: there is nothing to keep, and nobody has failed."""

    exit_code = ExitCode.INTERRUPTED

    def __init__(self) -> None:
        super().__init__("interrupted before the load began: nothing was measured")
