"""The alerts of a night: what is new, each told once, kept in the outbox until it has arrived."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nightbench.alerts.alert import Alert, alerts_of
from nightbench.alerts.delivery import DeliveryReport, deliver
from nightbench.alerts.event import Run
from nightbench.alerts.failure import Failure, failure_alert
from nightbench.alerts.outbox import Outbox
from nightbench.errors import MeasurementError
from nightbench.settings import Settings
from nightbench.verdict.verdict import SuiteVerdict


class NightAlerts:
    """The alerts of one night on their way to Sentry.

    Attributes:
        delivery: What became of them; None until `deliver`.
    """

    def __init__(self, settings: Settings) -> None:
        self.delivery: DeliveryReport | None = None
        self._settings = settings
        self._outbox = Outbox(settings.outbox_folder)
        self._untold: list[tuple[Alert, Run]] = []
        self._found: set[tuple[str, ...]] = set()
        self._known_failures = 0

    def check_writable(self) -> None:
        """Try to write into the outbox.

        Raises:
            ConfigurationError: naming the setting ``outbox`` and the folder.
        """
        self._outbox.check_writable()

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

    def deliver(self) -> DeliveryReport:
        """Post what is in the outbox, also of earlier nights; blocks while it talks to the server."""
        dsn = self._settings.sentry_dsn
        self.delivery = deliver(self._outbox, dsn.get_secret_value() if dsn else None)
        return self.delivery
