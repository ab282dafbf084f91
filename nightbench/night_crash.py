"""What is told of a flow whose process is gone, by another process that noticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nightbench.alerts.checkin import CheckIn
from nightbench.alerts.failure import Failure
from nightbench.errors import MeasurementError, NightbenchError
from nightbench.history.store import HistoryStore
from nightbench.measurement import new_id
from nightbench.night_alerts import NightAlerts
from nightbench.night_checkins import post_check_in
from nightbench.plan import TIER_NAMES
from nightbench.scrub import one_line
from nightbench.settings import Settings
from nightbench.tiers import NIGHTLY


@dataclass(frozen=True)
class Crash:
    """A flow that ended without a word.

    Attributes:
        flow: ``nightly`` or a tier.
        run: The id of its run.
        reason: What is known of it.
        links: Where to read more, by name.
    """

    flow: str
    run: str
    reason: str
    links: Mapping[str, str] = field(default_factory=dict)


def tell_crash(settings: Settings, crash: Crash) -> str:
    """Put the alert of a crash into the outbox and deliver; of a nightly flow, Sentry's monitor is told too.

    Each is tried whatever became of the others; what cannot be put is posted at once.

    Returns:
        One line for the log: what could not be told, or an empty text.
    """
    lost: list[str] = []
    try:
        lost += _alerted(settings, crash)
    # whatever it is: the monitor is told, and the log
    except Exception as error:  # noqa: BLE001
        lost.append(f"the crash could not be told: {one_line(f'{type(error).__name__}: {error}')}")
    if crash.flow == NIGHTLY:
        lost.append(post_check_in(settings, CheckIn(crash.run, settings.environment, "error")))
    return "; ".join(dict.fromkeys(each for each in lost if each))


def _alerted(settings: Settings, crash: Crash) -> Iterator[str]:
    """Tell by an alert; what could not be done."""
    tier = next((name for name in TIER_NAMES if name == crash.flow), None)
    reason = one_line(crash.reason) or "it ended without a word"
    night_id = new_id(crash.flow)  # that of the night itself is gone with it
    failure = Failure(tier, None, settings.environment, night_id, reason, kind="crashed")
    alerts = NightAlerts(settings)
    alerts.find((), [failure], links=crash.links)
    try:
        alerts.put()
    except MeasurementError as error:
        yield str(error)
        yield from alerts.post_untold()
    yield from alerts.deliver().reasons
    try:
        alerts.save_rows(HistoryStore(settings.results))
    except NightbenchError as error:
        yield str(error)
