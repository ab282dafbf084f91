"""The check-ins of one night: posted at once, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable

from nightbench.alerts.answer import AnswerKind
from nightbench.alerts.checkin import CheckIn, Status
from nightbench.alerts.monitor import Monitor
from nightbench.alerts.posting import Poster
from nightbench.errors import ConfigurationError
from nightbench.outcome import NightOutcome
from nightbench.settings import Settings

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
TRIES = 3
"""A night that ended well and could not say so would look like one that hangs."""
PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 5.0


class NightCheckIns:
    """What Sentry's monitor is told of one night.

    A plain class on purpose: Prefect walks through dataclasses that a task is given.

    Attributes:
        monitor: When nights are due; None where they never are, and nobody is told.
        outcome: What came of the night, once it ran to its end.
    """

    def __init__(
        self,
        settings: Settings,
        night: str,
        monitor: Monitor | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare for a night; `night` and `monitor` as in `CheckIn`."""
        self.monitor = monitor
        self.outcome: NightOutcome | None = None
        self._settings = settings
        self._night = night
        self._clock = clock
        self._began = clock()

    def __repr__(self) -> str:
        return f"NightCheckIns({self._night!r})"

    def begin(self) -> str:
        """Tell that the night begins; return why that failed, or an empty text."""
        self._began = self._clock()
        return self._post("in_progress", None)

    def end(self) -> str:
        """Tell how it ended; return why that failed, or an empty text."""
        return self._post(status_of(self.outcome), self._clock() - self._began)

    def _post(self, status: Status, duration: float | None) -> str:
        if self.monitor is None:
            return ""
        told = CheckIn(self._night, self._settings.environment, status, duration, self.monitor)
        return post_check_in(self._settings, told)


def dsn_of_monitor(settings: Settings) -> str | None:
    """The DSN of the server whose monitor wants to know of nights; None where there is none."""
    dsn = settings.sentry_dsn if settings.alerts.monitor else None
    return None if dsn is None else dsn.get_secret_value()


def status_of(outcome: NightOutcome | None) -> Status:
    """Whether the night happened: it ran to its end and measured something, whatever the verdict on that is.

    A missed target, a regression and a step that failed have alerts of their own.
    """
    return "ok" if outcome is not None and outcome.verdicts and not outcome.skipped else "error"


def post_check_in(settings: Settings, told: CheckIn, *, pause: Callable[[float], object] = time.sleep) -> str:
    """Post a check-in, several times if need be; return why that failed, or an empty text.

    It takes half a minute at most, and nothing at all without a DSN or where `settings.alerts.monitor` is off.
    """
    dsn = dsn_of_monitor(settings)
    if dsn is None:
        return ""
    try:
        poster = Poster(dsn, connect_seconds=CONNECT_SECONDS, answer_seconds=ANSWER_SECONDS)
    except ConfigurationError as error:
        return f"no check-in ({told.status}): {error}"
    for left in reversed(range(TRIES)):
        answer = poster.post(told.envelope())
        if answer.kind is AnswerKind.TAKEN:
            return ""
        if answer.kind is AnswerKind.REFUSED or not left:
            break
        pause(min(max(answer.retry_after or 0.0, PAUSE_SECONDS), LONGEST_PAUSE_SECONDS))
    return f"no check-in ({told.status}): {answer.why}"
