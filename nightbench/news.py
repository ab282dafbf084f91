"""What a night has to tell, each once, and kept until it is in the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nightbench.alerts.alert import Alert, alerts_of
from nightbench.alerts.failure import Failure, failure_alert
from nightbench.alerts.outbox import Outbox, Run
from nightbench.errors import MeasurementError
from nightbench.verdict.verdict import SuiteVerdict


class News:
    """The alerts of a night on their way into `outbox`."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._untold: list[tuple[Alert, Run]] = []
        self._found: set[tuple[str, ...]] = set()
        self._known_failures = 0

    def find(self, verdicts: Iterable[SuiteVerdict], failures: Sequence[Failure]) -> None:
        """Look for what is new: of a verdict, which may be judged again, what no alert is about yet."""
        for verdict in verdicts:
            for alert in alerts_of([verdict]):
                if alert.fingerprint not in self._found:
                    self._found.add(alert.fingerprint)
                    self._untold.append((alert, verdict.measurement))
        self._untold += [(failure_alert(failure), failure) for failure in failures[self._known_failures :]]
        self._known_failures = len(failures)

    def put(self) -> int:
        """Put into the outbox what is not there yet; return how many alerts that were.

        Raises:
            MeasurementError: when some could not be put; the next call tries those again.
        """
        lost: list[str] = []
        put = 0
        for untold in tuple(self._untold):
            try:
                self._outbox.put(*untold)
            except MeasurementError as error:
                lost.append(str(error))
            else:
                self._untold.remove(untold)
                put += 1
        if lost:
            raise MeasurementError("; ".join(lost))
        return put
