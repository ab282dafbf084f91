"""All checks at once, each with its own time: one that hangs or breaks is a line of its own and holds up no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from nightbench.debugging import show_traceback
from nightbench.doctor.finding import Finding, Topic
from nightbench.errors import ConfigurationError, NightbenchError
from nightbench.history.reach import UnreachableError

SECONDS = 5.0
"""That one check has, unless it says otherwise."""

Look = Callable[[], Iterable[Finding]]
"""Reads facts and judges them, finding by finding; may block, and may raise."""


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        topic: What it is about; of the line that tells that it broke or did not end.
        look: Gives its findings.
        seconds: That it has.
        mend: What to do when it does not end.
    """

    topic: Topic
    look: Look
    seconds: float = SECONDS
    mend: str = "see why it does not answer"


def examine(checks: Sequence[Check]) -> list[Finding]:
    """Run all checks side by side; their findings in the order of the checks.

    What a check had found before its time was over, or before it broke, counts. It is left alone then: a thread
    that hangs ends with this process.
    """
    begin = time.monotonic()
    looks = [_Running(check) for check in checks]
    return [finding for look in looks for finding in look.findings(begin + look.check.seconds)]


class _Running:
    """A check under way in a thread of its own."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._run, name=f"doctor {check.topic.name}", daemon=True)
        self._thread.start()

    def findings(self, end: float) -> list[Finding]:
        """What there is at `end` (monotonic seconds), or before, when it is done."""
        self._thread.join(max(0.0, end - time.monotonic()))
        is_late = self._thread.is_alive()
        found = list(self._found)
        if is_late:
            why = f"not known: no answer within {self.check.seconds:.0f} s"
            found.append(self.check.topic.failure(why, self.check.mend))
        return found

    def _run(self) -> None:
        try:
            for finding in self.check.look():
                self._found.append(finding)  # one by one: what hangs later takes none of them away
        except Exception as error:  # noqa: BLE001  # whatever it is, the other checks have their say
            show_traceback(error)
            self._found.append(_broken(self.check.topic, error))


def _broken(topic: Topic, error: Exception) -> Finding:
    """What an exception is as a line."""
    if isinstance(error, ConfigurationError):
        told = ConfigurationError(error.setting, error.value, error.problem)
        return topic.failure(str(told), error.way_out or f"mend {error.setting}")
    if isinstance(error, UnreachableError):
        return topic.failure(error.problem, error.way_out)
    if isinstance(error, NightbenchError):
        return topic.failure(str(error), "mend what it names")
    return topic.failure(
        f"the check itself broke: {type(error).__name__}: {error}", "NIGHTBENCH_DEBUG=1 nightbench doctor"
    )
