"""A dataset that cannot be looked into: what is told instead of an empty history."""

from __future__ import annotations

from nightbench.errors import ConfigurationError, ExitCode, NightbenchError
from nightbench.files import reason
from nightbench.history.storage import OutOfReachError, Storage


class UnreachableError(NightbenchError):
    """The place of the dataset gives no answer: what lies there is not known, and it may be fine tomorrow."""

    exit_code = ExitCode.INVALID


def unreachable(storage: Storage, folder: str, error: OSError) -> NightbenchError:
    """What to raise when `folder` of the dataset, or an object in it, cannot be looked at for `error`.

    Returns:
        `UnreachableError` when nobody answers, else `ConfigurationError`; both name the setting and the way out.
    """
    problem = f"{folder} cannot be read: {reason(error)}"
    if isinstance(error, OutOfReachError):
        return unanswered(storage, problem)
    return ConfigurationError("results", storage.name, problem, storage.way_out)


def unanswered(storage: Storage, problem: str) -> UnreachableError:
    """What to raise when nobody answers, which is the `problem`."""
    return UnreachableError(f"results = {storage.name!r}: {problem}; {storage.way_out}, or try again later")
