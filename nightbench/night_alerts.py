"""The alerts of a night: what is new, each told once, kept in the outbox until it has arrived, and its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from nightbench.alert_charts import AlertCharts
from nightbench.alerts.alert import Alert, alerts_of
from nightbench.alerts.alert_record import AlertRecord
from nightbench.alerts.attachment import Attachment
from nightbench.alerts.bounds import Bounds
from nightbench.alerts.delivery import DeliveryReport, deliver
from nightbench.alerts.failure import Failure, failure_alert
from nightbench.alerts.issues_api import IssuesApi, IssuesError
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.recovery import Night
from nightbench.alerts.resolving import Recovery, note_recoveries, settle
from nightbench.alerts.state import OpenAlerts
from nightbench.alerts.telling import Telling
from nightbench.errors import MeasurementError
from nightbench.history.marks import Mark
from nightbench.settings import Settings
from nightbench.tier_verdict import Earlier
from nightbench.verdict.verdict import SuiteVerdict


class NightAlerts:
    """The alerts of one night on their way to Sentry.

    Attributes:
        delivery: What became of them; None until `deliver`.
    """

    def __init__(self, settings: Settings, night_id: str = "") -> None:
        """Begin with nothing to tell; `night_id` is of a night that measures, empty for a crash that is only told."""
        self.delivery: DeliveryReport | None = None
        self._settings = settings
        self._night_id = night_id
        self._outbox = Outbox(settings.outbox_folder, Bounds.of(settings.alerts))
        self._open = OpenAlerts(settings.outbox_folder)
        self._telling = Telling(
            self._outbox,
            self._open,
            most=settings.alerts.most_a_night,
            reminder_nights=settings.alerts.reminder_nights,
        )
        self._charts = AlertCharts()
        self._verdicts: dict[tuple[str, str], SuiteVerdict] = {}
        self._failures: tuple[Failure, ...] = ()
        self._earlier: Earlier | None = None
        self._marks: tuple[Mark, ...] = ()
        self._links: dict[str, str] = {}
        self._recovered: tuple[AlertRecord, ...] = ()

    @property
    def records(self) -> tuple[AlertRecord, ...]:
        """What was decided, one for each alert; whole after `deliver`."""
        return (*self._telling.records, *self._recovered)

    def check_writable(self) -> None:
        """Try to write into the outbox.

        Raises:
            ConfigurationError: naming the setting ``outbox`` and the folder.
        """
        self._outbox.check_writable()

    def find(
        self,
        verdicts: Iterable[SuiteVerdict],
        failures: Sequence[Failure],
        *,
        earlier: Earlier | None = None,
        links: Mapping[str, str] | None = None,
    ) -> None:
        """Look for what is new: of a verdict, which may be judged again, what no alert is about yet.

        Args:
            verdicts: All of the night so far.
            failures: All of the night so far.
            earlier: What is known before the tier that was judged last: for charts, and the epochs of metrics.
            links: Where to read more, by name.
        """
        if earlier is not None:
            self._earlier, self._marks = earlier, tuple(earlier.marks)
        self._links.update(links or {})
        self._verdicts = {(each.measurement.tier, each.measurement.suite): each for each in verdicts}
        self._failures = tuple(failures)
        found = [
            (self._with_links(alert), verdict.measurement)
            for verdict in self._verdicts.values()
            for alert in alerts_of([verdict], self._marks)
        ]
        self._telling.find(found)
        self._telling.find([(self._with_links(failure_alert(each)), each) for each in failures])

    def put(self) -> int:
        """Put into the outbox what is not there yet; return how many alerts that were.

        Raises:
            MeasurementError: when some could not be put; the next call tries those again.
        """
        return self._telling.put(self._chart_of)

    def deliver(self) -> DeliveryReport:
        """Post what is in the outbox, also of earlier nights, then resolve the issues of what is well again.

        Blocks while it talks to the server, and never raises for what that does.
        """
        dsn = self._settings.sentry_dsn
        report = deliver(self._outbox, dsn.get_secret_value() if dsn else None)
        recovery = self._settle() if self._night_id else Recovery()
        self._recovered = (*self._recovered, *recovery.records)
        before = self.delivery.recovered if self.delivery is not None else ()
        problems = (*recovery.problems, *([self._telling.problem] if self._telling.problem else []))
        self.delivery = replace(
            report, reasons=(*report.reasons, *problems), recovered=(*before, *recovery.sentences)
        )
        return self.delivery

    def _settle(self) -> Recovery:
        night = Night(
            self._night_id,
            self._settings.environment,
            tuple(self._verdicts.values()),
            self._failures,
            self._marks,
        )
        try:
            note_recoveries(self._open, night)
        except MeasurementError as error:
            return Recovery(problems=(str(error),))
        waiting = self._outbox.waiting_ids()
        dsn, token = self._settings.sentry_dsn, self._settings.alerts.api_token
        if dsn is None or token is None:
            return settle(self._open, night, waiting=waiting, api=None)
        try:
            api = IssuesApi(dsn.get_secret_value(), token.get_secret_value(), self._settings.alerts.api_url)
        except IssuesError as error:
            return Recovery(problems=(f"nothing that is well again was resolved: {error}",))
        with closing(api):
            return settle(self._open, night, waiting=waiting, api=api)

    def _with_links(self, alert: Alert) -> Alert:
        report = self._settings.alerts.report_url
        return replace(alert, links={**self._links, **({} if report is None else {"report": report})})

    def _chart_of(self, alert: Alert) -> tuple[Attachment, ...]:
        verdict = self._verdicts.get((alert.tier, alert.suite))
        chart = None if verdict is None else self._charts.chart_of(alert, verdict, self._earlier)
        return () if chart is None else (chart,)
