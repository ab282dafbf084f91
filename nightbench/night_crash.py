"""What is told of a flow without its night: its process is gone, and another noticed, or it was refused before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nightbench.alerts.checkin import CheckIn
from nightbench.alerts.failure import Failure
from nightbench.errors import ExitCode, MeasurementError, NightbenchError
from nightbench.history.store import HistoryStore
from nightbench.measurement import new_id
from nightbench.night_alerts import NightAlerts
from nightbench.night_checkins import post_check_in
from nightbench.plan import TIER_NAMES, Tier
from nightbench.scrub import one_line
from nightbench.settings import Settings
from nightbench.tiers import NIGHTLY


@dataclass(frozen=True)
class Crash:
    """A flow that ended without a word of its night.

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
    reason = one_line(crash.reason) or "it ended without a word"
    failure = Failure(*_place(settings, crash), reason, kind="crashed")
    lost = _told(settings, failure, crash, "the crash")
    if crash.flow == NIGHTLY:
        lost.append(post_check_in(settings, CheckIn(crash.run, settings.environment, "error")))
    return "; ".join(dict.fromkeys(each for each in lost if each))


def tell_refusal(settings: Settings, refused: Crash) -> str:
    """The same of a flow that was refused before its night began; the monitor has heard of no night."""
    failure = Failure(*_place(settings, refused), one_line(refused.reason), ExitCode.WRONG_USE)
    return "; ".join(dict.fromkeys(_told(settings, failure, refused, "the refusal")))


def _place(settings: Settings, crash: Crash) -> tuple[Tier | None, None, str, str]:
    tier = next((name for name in TIER_NAMES if name == crash.flow), None)
    return tier, None, settings.environment, new_id(crash.flow)  # the id of the night itself is gone with it


def _told(settings: Settings, failure: Failure, crash: Crash, what: str) -> list[str]:
    lost: list[str] = []
    try:
        lost += _alerted(settings, failure, crash)
    # whatever it is: the monitor is told, and the log
    except Exception as error:  # noqa: BLE001
        lost.append(f"{what} could not be told: {one_line(f'{type(error).__name__}: {error}')}")
    return lost


def _alerted(settings: Settings, failure: Failure, crash: Crash) -> Iterator[str]:
    """Tell by an alert; what could not be done."""
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
