"""Whether an alert would arrive: the outbox, what waits in it, and the Sentry server, which is asked without an event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sentry_sdk.envelope import Envelope, Item, PayloadRef

from nightbench.ages import age_of
from nightbench.alerts.answer import Answer, AnswerKind
from nightbench.alerts.bounds import Bounds
from nightbench.alerts.issues_api import IssuesApi, IssuesError
from nightbench.alerts.monitor import Monitor, monitor_slug
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.outbox_status import OutboxStatus, status_of
from nightbench.alerts.posting import Poster
from nightbench.alerts.state import OpenAlerts
from nightbench.doctor.finding import Finding, Topic
from nightbench.errors import ConfigurationError
from nightbench.night_schedule import monitor_of, project_schedules
from nightbench.settings import Settings
from nightbench.wording import amount

DSN = Topic("alerts", "Sentry DSN")
OUTBOX = Topic("alerts", "outbox")
SERVER = Topic("alerts", "Sentry server")
ISSUES = Topic("alerts", "issues API")
MONITOR = Topic("alerts", "cron monitor")

CONNECT_SECONDS, ANSWER_SECONDS, CALL_SECONDS = 2.0, 2.5, 4.0
LATE = timedelta(hours=36)
"""What waits for longer was not taken by the run of the next night either."""
_FLUSH = "nightbench alerts flush"


def judge_outbox(status: OutboxStatus, now: datetime, *, has_dsn: bool) -> Finding:
    """What waits, and what the server refused."""
    if status.rejected:
        were = "was" if len(status.rejected) == 1 else "were"
        why = f"{amount(len(status.rejected), 'alert')} {were} refused: {status.rejected[0].why}"
        return OUTBOX.warning(why, f"mend what the server said, then {_FLUSH} --rejected")
    if not status.waiting:
        return OUTBOX.ok("nothing waits")
    age = now - status.waiting[0].since
    several = len(status.waiting) > 1
    wait = "wait, the oldest" if several else "waits,"
    why = f"{amount(len(status.waiting), 'alert')} {wait} for {age_of(age)}"
    if not has_dsn:
        return OUTBOX.warning(f"{why}, and no DSN is set", f"set NIGHTBENCH_SENTRY_DSN, then {_FLUSH}")
    return OUTBOX.warning(why, _FLUSH) if age > LATE else OUTBOX.ok(f"{why}: the next run posts them")


def judge_answer(host: str, answer: Answer) -> Finding:
    """What the server said to an envelope without an event."""
    if answer.kind is AnswerKind.TAKEN:
        return SERVER.ok(f"{host} accepts our key; nightbench alerts test shows an event there")
    if answer.status == 429:
        return SERVER.warning(answer.why, "wait, or raise the project's quota")
    return SERVER.failure(answer.why, "mend NIGHTBENCH_SENTRY_DSN, then nightbench alerts test")


def judge_monitor(monitor: Monitor | None, environment: str, *, wanted: bool) -> Finding:
    """Whether Sentry notices a night that never ran."""
    if not wanted:
        why = "NIGHTBENCH_ALERTS__MONITOR is false: nobody is told of a night that never ran"
        return MONITOR.warning(why, "leave NIGHTBENCH_ALERTS__MONITOR out")
    if monitor is None:
        return MONITOR.ok("none: prefect.yaml has no schedule of the nightly flow")
    schedule = monitor.schedule
    every = f"every {schedule.value} {schedule.unit}" if schedule.unit else str(schedule.value)
    return MONITOR.ok(
        f"{monitor_slug(environment)}: {every} ({schedule.timezone}), missed after {monitor.margin_minutes} minutes"
    )


def outbox_findings(settings: Settings) -> Iterator[Finding]:
    """Look at the outbox, and at what is set.

    Raises:
        ConfigurationError: when the outbox cannot be written, or the DSN is none.
    """
    outbox = Outbox(settings.outbox_folder, Bounds.of(settings.alerts))
    outbox.check_writable()
    poster = _poster(settings)
    project = None if poster is None else poster.project
    now = datetime.now(UTC)
    yield judge_outbox(status_of(outbox, project, now), now, has_dsn=poster is not None)
    if problem := OpenAlerts(settings.outbox_folder).read().problem:
        yield OUTBOX.warning(problem, f"move {OpenAlerts(settings.outbox_folder).file} away")
    if poster is None:
        why = "none is set: alerts wait in the outbox, and nobody is told"
        yield DSN.warning(why, "set NIGHTBENCH_SENTRY_DSN=https://<key>@host/project")
    else:
        yield DSN.ok(f"alerts are posted to {poster.host}")
        yield _monitor(settings)


def server_findings(settings: Settings) -> Iterator[Finding]:
    """Post an envelope that holds no event: a report of the client that it has lost nothing."""
    if (poster := _poster(settings)) is not None:
        yield judge_answer(poster.host, poster.post(empty_envelope(datetime.now(UTC))))


def issues_findings(settings: Settings) -> Iterator[Finding]:
    """Try the token with which issues are resolved."""
    token, dsn = settings.alerts.api_token, settings.sentry_dsn
    if token is None or dsn is None:
        return
    try:
        api = IssuesApi(
            dsn.get_secret_value(), token.get_secret_value(), settings.alerts.api_url, seconds=CALL_SECONDS
        )
        api.check()
    except IssuesError as error:
        yield ISSUES.failure(str(error), "mend NIGHTBENCH_ALERTS__API_TOKEN or NIGHTBENCH_ALERTS__API_URL")
        return
    yield ISSUES.ok(f"{api.url} takes our token")


def empty_envelope(now: datetime) -> Envelope:
    """One that servers take and that makes nothing: what SDKs say now and then of what they did not send."""
    report = {"timestamp": now.timestamp(), "discarded_events": []}
    return Envelope(items=[Item(payload=PayloadRef(json=report), type="client_report")])


def _monitor(settings: Settings) -> Finding:
    try:
        monitor = monitor_of(project_schedules(), settings, {}) if settings.alerts.monitor else None
    except ConfigurationError as error:
        return MONITOR.warning(str(error), "mend the schedule in prefect.yaml")
    return judge_monitor(monitor, settings.environment, wanted=settings.alerts.monitor)


def _poster(settings: Settings) -> Poster | None:
    if settings.sentry_dsn is None:
        return None
    return Poster(
        settings.sentry_dsn.get_secret_value(),
        connect_seconds=CONNECT_SECONDS,
        answer_seconds=ANSWER_SECONDS,
    )
