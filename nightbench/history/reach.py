"""A dataset that cannot be looked into: what is told instead of an empty history."""

from __future__ import annotations

from nightbench.errors import ConfigurationError, ExitCode, NightbenchError
from nightbench.files import reason
from nightbench.history.storage import OutOfReachError, Storage


class UnreachableError(NightbenchError):
    """The place of the dataset gives no answer: what lies there is not known, and it may be fine tomorrow.

    Args:
        problem: Which setting names the place, and what is wrong there.
        way_out: What to do about it.
    """

    exit_code = ExitCode.INVALID

    def __init__(self, problem: str, way_out: str) -> None:
        self.problem = problem
        self.way_out = way_out
        super().__init__(f"{problem}; {way_out}")


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
    return UnreachableError(
        f"results = {storage.name!r}: {problem}", f"{storage.way_out}, or try again later"
    )
