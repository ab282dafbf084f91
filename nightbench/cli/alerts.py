"""``nightbench alerts``: whether they arrive, what waits, and posting it now."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from nightbench import settings as settings_module
from nightbench.addresses import SENTRY_DSN_FORM
from nightbench.cli import flags
from nightbench.cli.telling import tell
from nightbench.errors import NOT_GIVEN, ConfigurationError, ExitCode, NightbenchError

if TYPE_CHECKING:
    from nightbench.alerts.delivery_report import DeliveryReport, EventState
    from nightbench.alerts.outbox import Outbox
    from nightbench.alerts.posting import Poster
    from nightbench.settings import Settings

app = App(
    name="alerts",
    help="""Alerts on their way to Sentry: whether they would arrive, what waits in the outbox, and posting it now.

`nightbench run` puts its alerts into the outbox and posts them at its end; what could not be posted waits for the
next run, or for `nightbench alerts flush`.

For example:

- `nightbench alerts test`
- `nightbench alerts status`
- `nightbench alerts flush`""",
    help_format="markdown",
)

AlsoRejected = Annotated[
    bool,
    Parameter("--rejected", negative="", help="first let wait again what the server had refused"),
]


@app.command(name="test")
def try_alerts(*, environment: flags.Environment = None, json: flags.Json = None) -> ExitCode:
    """Post a harmless event and tell what the server says. The outbox has no part in it.

    The event has level info and an issue of its own. Exit codes: 0 accepted, 2 there is no usable DSN, 3 the server
    refused it or could not be reached.

    For example:

    - `NIGHTBENCH_SENTRY_DSN=https://KEY@sentry.example.org/1 nightbench alerts test`
    - `nightbench alerts test --environment staging --json -`
    """
    from nightbench.alerts.trial import try_out  # noqa: PLC0415  # --help stays quick
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415

    settings = settings_module.load({"environment": environment})
    output = JsonOutput(json)
    poster = _poster(settings)
    trial = try_out(poster, settings.environment, datetime.now(UTC))
    state = {"TAKEN": "accepted", "REFUSED": "refused"}.get(trial.answer.kind.name, "undelivered")
    document = {
        "schema": 1,
        "event_id": trial.event_id,
        "host": poster.host,
        "state": state,
        "reason": trial.answer.why,
    }
    code = output.write(document, ExitCode.MET if state == "accepted" else ExitCode.INVALID)
    told = f"{state} by {poster.host}: event {trial.event_id}" if not trial.answer.why else ""
    _say(output, [told or f"{state}: {trial.answer.why}"])
    return code


@app.command
def status(*, results: flags.Results = None, json: flags.Json = None) -> ExitCode:
    """Tell what waits in the outbox, what the server refused, what was given up, and which alerts are open.

    It needs no DSN; only with one it knows whether the server asked for a pause.

    For example:

    - `nightbench alerts status`
    - `nightbench alerts status --json -`
    """
    from nightbench.alerts.outbox_status import status_of  # noqa: PLC0415  # --help stays quick
    from nightbench.alerts.state import OpenAlerts  # noqa: PLC0415
    from nightbench.cli.alert_listing import status_document, status_lines  # noqa: PLC0415
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415

    settings, problem = _whatever_dsn({"results": results})
    output = JsonOutput(json)
    if problem:
        tell(problem)
    project = None if settings.sentry_dsn is None else _poster(settings).project
    found = status_of(_outbox(settings), project, datetime.now(UTC))
    known = OpenAlerts(settings.outbox_folder).read()
    if known.problem:
        tell(known.problem)
    place = str(settings.outbox_folder)
    document = status_document(found, known, place, has_dsn=project is not None or bool(problem))
    code = output.write({**document, "dsn_problem": problem}, ExitCode.MET)
    _say(output, status_lines(found, known, place, datetime.now(UTC)))
    return code


@app.command
def flush(
    *, rejected: AlsoRejected = False, results: flags.Results = None, json: flags.Json = None
) -> ExitCode:
    """Post what waits in the outbox now, oldest first, as the next run would.

    It is safe at any time: an event that is posted twice has the same id, and the server keeps one. While a run
    delivers, it leaves that to it. Exit codes: 0 nothing waits any more, 2 there is no usable DSN, 3 something was not
    delivered.

    For example:

    - `nightbench alerts flush`
    - `nightbench alerts flush --rejected`: once the DSN is right
    """
    from nightbench.alert_rows import rows_waiting  # noqa: PLC0415  # --help stays quick
    from nightbench.alerts.delivery import deliver  # noqa: PLC0415
    from nightbench.alerts.delivery_report import DeliveryReport  # noqa: PLC0415
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415

    settings = settings_module.load({"results": results})
    output = JsonOutput(json)
    _poster(settings)
    outbox = _outbox(settings)
    again = _taken_back(outbox) if rejected else 0
    dsn = settings.sentry_dsn.get_secret_value() if settings.sentry_dsn else None
    console = output.summary_console
    waited, through = rows_waiting(outbox), []
    report = None

    def on_event(each: EventState) -> None:
        through.append(each)
        if console is not None:
            _say(output, [_line(each)])

    try:
        report = deliver(outbox, dsn, on_event=on_event)
    finally:  # also of what was through when it was interrupted
        _remember(settings, report or DeliveryReport.of(through), waited)
    document: dict[str, Any] = {"schema": 1, "taken_back": again, **asdict(report)}
    lost = report.undelivered or report.rejected or report.dropped
    code = output.write(document, ExitCode.INVALID if lost else ExitCode.MET)
    _say(output, _told(report))
    return code


def _remember(settings: Settings, report: DeliveryReport, waited: dict[str, dict[str, Any]]) -> None:
    """Write what became of alerts into the dataset, and let what was dropped be told anew; tell why that failed."""
    from nightbench.alert_rows import save_alert_rows  # noqa: PLC0415  # --help stays quick
    from nightbench.alerts.state import OpenAlerts  # noqa: PLC0415
    from nightbench.history.store import HistoryStore  # noqa: PLC0415

    try:
        OpenAlerts(settings.outbox_folder).give_up(report.given_up, datetime.now(UTC))
        save_alert_rows(settings, HistoryStore(settings.results), (), report, waited=waited)
    except NightbenchError as error:
        tell(str(error))


def _poster(settings: Settings) -> Poster:
    """What posts to the DSN that is set.

    Raises:
        ConfigurationError: when none is, or none that can be used.
    """
    from nightbench.alerts.posting import Poster  # noqa: PLC0415  # --help stays quick

    if settings.sentry_dsn is None:
        raise ConfigurationError(
            "NIGHTBENCH_SENTRY_DSN",
            NOT_GIVEN,
            "no Sentry DSN is set",
            f"it looks like {SENTRY_DSN_FORM}",
        )
    return Poster(settings.sentry_dsn.get_secret_value())


def _whatever_dsn(given: dict[str, Any]) -> tuple[Settings, str]:
    """The settings, and what is wrong with their DSN; they are without it then.

    Raises:
        ConfigurationError: for anything else that is wrong.
    """
    try:
        settings = settings_module.load(given)
        if settings.sentry_dsn is not None:
            _poster(settings)
    except ConfigurationError as error:
        return settings_module.load(given, unset=["sentry_dsn"]), str(error)
    return settings, ""


def _outbox(settings: Settings) -> Outbox:
    from nightbench.alerts.bounds import Bounds  # noqa: PLC0415  # --help stays quick
    from nightbench.alerts.outbox import Outbox  # noqa: PLC0415

    return Outbox(settings.outbox_folder, Bounds.of(settings.alerts))


def _taken_back(outbox: Outbox) -> int:
    from nightbench.files import reason  # noqa: PLC0415  # only of use here

    try:
        return outbox.take_back()
    except OSError as error:
        problem = f"cannot be written to: {reason(error)}"
        raise ConfigurationError("outbox", str(outbox.folder), problem) from None


def _line(state: EventState) -> str:
    return f"{state.state}  {state.event_id}" + (f"  {state.reason}" if state.reason else "")


def _told(report: DeliveryReport) -> list[str]:
    from nightbench.report.summary import told_of  # noqa: PLC0415  # --help stays quick

    return [told_of(report) or "nothing waits", *report.reasons]


def _say(output: Any, lines: list[str]) -> None:
    from nightbench.report.layout import INDENT, Page  # noqa: PLC0415  # --help stays quick

    if (console := output.summary_console) is not None:
        for line in lines:
            Page(console).paragraph(line, first="", rest=INDENT)
