"""The alerts of a night: what is new, each told once, kept in the outbox until it has arrived, and its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from nightbench.alert_charts import AlertCharts
from nightbench.alert_rows import rows_waiting, save_alert_rows
from nightbench.alerts.alert import Alert, alerts_of
from nightbench.alerts.alert_record import TOLD, AlertRecord
from nightbench.alerts.answer import AnswerKind
from nightbench.alerts.attachment import Attachment
from nightbench.alerts.bounds import Bounds
from nightbench.alerts.delivery import DeliveryReport, deliver
from nightbench.alerts.delivery_report import EventState
from nightbench.alerts.failure import Failure, failure_alert
from nightbench.alerts.issues_api import IssuesApi, IssuesError
from nightbench.alerts.kept import envelope_of
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.outbox_state import OutboxState
from nightbench.alerts.posting import Poster
from nightbench.alerts.recovery import Tonight
from nightbench.alerts.resolving import Recovery, note_recoveries, settle
from nightbench.alerts.state import OpenAlerts
from nightbench.alerts.telling import Telling
from nightbench.errors import MeasurementError, NightbenchError
from nightbench.history.marks import Mark
from nightbench.history.store import HistoryStore
from nightbench.settings import Settings
from nightbench.tier_verdict import Earlier
from nightbench.verdict.verdict import SuiteVerdict


class NightAlerts:
    """The alerts of one night on their way to Sentry. A thread may put them while another one does.

    Attributes:
        delivery: What became of them; None until `deliver`.
        waited: The rows of what else waited when that began, by event id: for the dataset, which may not know it.
    """

    def __init__(self, settings: Settings, night_id: str = "") -> None:
        """Begin with nothing to tell; `night_id` is of a night that measures, empty for a crash that is only told."""
        self.delivery: DeliveryReport | None = None
        self.waited: Mapping[str, Mapping[str, Any]] = {}
        self._lock = Lock()
        self._posted: tuple[EventState, ...] = ()
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
        with self._lock:
            self._find(verdicts, failures, earlier, links or {})

    def _find(
        self,
        verdicts: Iterable[SuiteVerdict],
        failures: Sequence[Failure],
        earlier: Earlier | None,
        links: Mapping[str, str],
    ) -> None:
        _given_up(self._open, OutboxState.read(self._outbox.state_file).untold)  # by a night that was killed
        if earlier is not None:
            self._earlier, self._marks = earlier, tuple(earlier.marks)
        self._links.update(links)
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
        with self._lock:
            return self._telling.put(self._chart_of)

    def post_untold(self) -> list[str]:
        """Post at once what could not be put; return why some could not be posted either."""
        dsn = self._settings.sentry_dsn
        if dsn is None:
            return []
        try:
            poster = Poster(dsn.get_secret_value())
        except NightbenchError as error:
            return [str(error)]

        def post(event: Mapping[str, Any]) -> str:
            answer = poster.post(envelope_of(event))
            if answer.kind is not AnswerKind.TAKEN:
                return answer.why
            state = EventState(event["event_id"], "delivered", "it was posted past the outbox")
            self._posted = (*self._posted, state)
            return ""

        with self._lock:
            return self._telling.post_untold(post)

    def deliver(self) -> DeliveryReport:
        """Post what is in the outbox, also of earlier nights, then resolve the issues of what is well again.

        Blocks while it talks to the server, and never raises for what that does.
        """
        dsn = self._settings.sentry_dsn
        told = {each.event_id for each in self.records if each.decision in TOLD}
        self.waited = rows_waiting(self._outbox, known=told)
        report = deliver(self._outbox, dsn.get_secret_value() if dsn else None)
        lost = _given_up(self._open, report.given_up)
        recovery = self._settled() if self._night_id else Recovery()
        self._recovered = (*self._recovered, *recovery.records)
        before = self.delivery.recovered if self.delivery is not None else ()
        problems = filter(None, (lost, *recovery.problems, self._telling.problem))
        self.delivery = replace(
            report,
            delivered=report.delivered + len(self._posted),
            events=(*report.events, *self._posted),
            reasons=(*report.reasons, *(each.reason for each in self._posted), *problems),
            recovered=(*before, *recovery.sentences),
        )
        return self.delivery

    def save_rows(self, store: HistoryStore) -> None:
        """Write into the dataset what was decided, and what came of it by `deliver`.

        Raises:
            NightbenchError: when it could not be saved.
        """
        report = self.delivery or DeliveryReport()
        save_alert_rows(self._settings, store, self.records, report, waited=self.waited)

    def _settled(self) -> Recovery:
        try:
            return self._settle()
        # what a server answers may break what nobody thought of, and no night for it
        except Exception as error:  # noqa: BLE001
            return Recovery(problems=(f"what is well again was not looked at ({type(error).__name__})",))

    def _settle(self) -> Recovery:
        night = Tonight(
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
        return settle(self._open, night, waiting=waiting, api=api)

    def _with_links(self, alert: Alert) -> Alert:
        report = self._settings.alerts.report_url
        return replace(alert, links={**self._links, **({} if report is None else {"report": report})})

    def _chart_of(self, alert: Alert) -> tuple[Attachment, ...]:
        verdict = self._verdicts.get((alert.tier, alert.suite))
        chart = None if verdict is None else self._charts.chart_of(alert, verdict, self._earlier)
        return () if chart is None else (chart,)


def _given_up(open_alerts: OpenAlerts, event_ids: Sequence[str]) -> str:
    """Let what was dropped be told anew; return why that failed, or an empty text."""
    try:
        open_alerts.give_up(event_ids, datetime.now(UTC))
    except MeasurementError as error:
        return str(error)
    return ""
