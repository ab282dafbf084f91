"""Which checks there are, by area, for what the settings say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

from nightbench.calibration import HostCalibration
from nightbench.doctor import (
    alerts,
    backup,
    clock,
    database,
    embedded,
    host,
    noise,
    results,
    statements,
    versions,
    websocket,
)
from nightbench.doctor.areas import AREAS, Area
from nightbench.doctor.examination import Check, examine
from nightbench.doctor.finding import Finding, Topic
from nightbench.plan import NIGHTLY_TIERS
from nightbench.settings import Settings

DOCTOR = "nightbench.doctor"
"""The entry points that look at what runs the flows; each takes the settings and the folder of ``nightbench serve``."""
PREFECT = Topic("prefect", "server")
PREFECT_SECONDS = 7.0
_RESULTS = "see whether the place of NIGHTBENCH_RESULTS answers: bucket, AWS_ENDPOINT_URL, network drive"
_BACKUP = "see whether the places of NIGHTBENCH_RESULTS and NIGHTBENCH_BACKUP answer"

ExaminePrefect = Callable[[Settings, Path], Iterable[Finding]]


def diagnose(
    settings: Settings, areas: Collection[Area], *, data: Path, prefect_url: str | None
) -> list[Finding]:
    """Check all `areas`, and load nothing; within 10 s, whoever does not answer.

    Args:
        settings: Where nights run.
        areas: Which are looked at.
        data: The folder of ``nightbench serve``.
        prefect_url: Of a Prefect server that is named; None without one.
    """
    host_now = noise.calibrated(settings) if "host" in areas else None
    of_area: dict[Area, Callable[[], Iterator[Check]]] = {
        "subject": lambda: _of_subject(settings),
        "host": lambda: _of_host(settings, prefect_url, host_now),
        "results": lambda: _of_results(settings),
        "prefect": lambda: _of_prefect(settings, data),
        "alerts": lambda: _of_alerts(settings),
    }
    return examine([check for area in AREAS if area in areas for check in of_area[area]()])


def _of_subject(settings: Settings) -> Iterator[Check]:
    largest = settings.tier(NIGHTLY_TIERS[-1])
    if settings.websocket_url is not None:
        look = partial(websocket.websocket_findings, settings, largest.websocket)
        yield Check(websocket.WEBSOCKET, look, mend="start the backend, or mend NIGHTBENCH_WEBSOCKET_URL")
        if settings.websocket_url.startswith("wss:"):
            certificate = partial(websocket.certificate_findings, settings, largest.websocket)
            yield Check(websocket.CERTIFICATE, certificate)
    if settings.database_dsn is not None:
        server = partial(database.database_findings, settings, largest.database)
        yield Check(database.SERVER, server, mend="start the server, or mend NIGHTBENCH_DATABASE_DSN")
        tried = partial(statements.statement_findings, settings, largest.database)
        yield Check(statements.STATEMENTS, tried, statements.SECONDS, "see what else the server does")
    if settings.websocket_url is None or settings.database_dsn is None:
        yield Check(embedded.POSTGRESQL, partial(embedded.embedded_findings, settings))


def _of_host(settings: Settings, prefect_url: str | None, now: HostCalibration | None) -> Iterator[Check]:
    plans = [settings.tier(tier) for tier in NIGHTLY_TIERS]
    yield Check(versions.VERSIONS, versions.version_findings)
    yield Check(clock.CLOCK, clock.kernel_findings)
    if settings.database_dsn is not None:
        yield Check(clock.CLOCK, partial(clock.database_clock_findings, settings))
    for name, url in clock.http_clocks(settings, prefect_url):
        yield Check(clock.CLOCK, partial(clock.http_clock_findings, name, url))
    yield Check(host.FILES, partial(host.host_findings, plans))
    yield Check(noise.CALIBRATION, partial(noise.calibration_findings, settings, now), mend=_RESULTS)


def _of_results(settings: Settings) -> Iterator[Check]:
    plans = [settings.tier(tier) for tier in NIGHTLY_TIERS]
    yield Check(results.PLACE, partial(results.result_findings, settings, plans), mend=_RESULTS)
    yield Check(backup.BACKUP, partial(backup.backup_findings, settings), mend=_BACKUP)


def _of_prefect(settings: Settings, data: Path) -> Iterator[Check]:
    for point in entry_points(group=DOCTOR):

        def look(load: Callable[[], ExaminePrefect] = point.load) -> Iterable[Finding]:
            return load()(settings, data)

        yield Check(PREFECT, look, PREFECT_SECONDS, "see the server's log, or restart it")


def _of_alerts(settings: Settings) -> Iterator[Check]:
    yield Check(alerts.OUTBOX, partial(alerts.outbox_findings, settings))
    if settings.sentry_dsn is not None:
        yield Check(
            alerts.SERVER, partial(alerts.server_findings, settings), mend="mend NIGHTBENCH_SENTRY_DSN"
        )
        yield Check(alerts.ISSUES, partial(alerts.issues_findings, settings))
