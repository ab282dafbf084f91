"""One night: what its tiers gave, step by step, and what came of it.

A night is one call of a flow: all tiers of the nightly one, or a single tier. Nothing in here decides the
order of the steps; the flows do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar

from nightbench.alerts.alert import Alert, alerts_of
from nightbench.alerts.delivery import DeliveryReport, deliver
from nightbench.alerts.failure import FailedStep, failure_alert
from nightbench.alerts.outbox import Outbox, Run
from nightbench.errors import ExitCode, MeasurementError, NightbenchError
from nightbench.history.store import HistoryStore, SavedRun
from nightbench.load.progress import OnProgress
from nightbench.measurement import Measurement, RunLabel, new_id
from nightbench.outcome import Failure, NightOutcome, skipped_note, unreadable_note
from nightbench.plan import Suite, Tier
from nightbench.reference.provide import provide_subject
from nightbench.scrub import scrub
from nightbench.settings import Settings
from nightbench.subject import Subject
from nightbench.verdict.comparison import compare
from nightbench.verdict.targets import judge_targets
from nightbench.verdict.verdict import SuiteVerdict

OnNote = Callable[[str], None]
Display = Callable[[Tier], AbstractContextManager[OnProgress]]
"""What shows the progress of one suite of a tier, inside its block."""


@contextmanager
def no_display(_tier: Tier) -> Iterator[OnProgress]:
    """Show nothing."""
    yield lambda _: None


def no_note(_text: str) -> None:
    """Tell nobody."""


class Night:
    """A night under way: what it runs on, and what it has so far.

    A plain class on purpose: Prefect walks through dataclasses that a task is given.

    Attributes:
        settings: Where it runs.
        night_id: Shared by its runs.
        subject: What is loaded.
        display: Shows the running suite.
        on_note: Told at once of what the summary notes later.
        stop: When set, the running suite ends early and no other is started.
        within_flow: Whether a flow runs it already, of which a further flow is a part.
    """

    def __init__(
        self,
        settings: Settings,
        night_id: str,
        *,
        subject: Subject | None = None,
        display: Display = no_display,
        on_note: OnNote = no_note,
        stop: asyncio.Event | None = None,
    ) -> None:
        self.settings = settings
        self.night_id = night_id
        self.subject = subject or Subject()
        self.display = display
        self.on_note = on_note
        self.stop = stop or asyncio.Event()
        self.within_flow = False
        self._store = HistoryStore(settings.results)
        self._outbox = Outbox(settings.outbox_folder)
        self._verdicts: dict[str, SuiteVerdict] = {}
        self._failures: list[Failure] = []
        self._skipped: list[tuple[Tier, Suite]] = []
        self._saved: list[SavedRun] = []
        self._told_verdicts = 0
        self._told_failures = 0
        self._delivery: DeliveryReport | None = None

    def __repr__(self) -> str:
        return f"Night({self.night_id!r})"

    def label(self, tier: Tier) -> RunLabel:
        """What a measurement of `tier` belongs to."""
        return RunLabel(tier=tier, night_id=self.night_id, environment=self.settings.environment)

    def failed(self, tier: Tier | None, suite: Suite | None, error: BaseException) -> None:
        """Remember that a step raised; the night goes on.

        Args:
            tier: In which tier; None for a step of the whole night.
            suite: In which suite; None for a step of the whole tier.
            error: What was raised.
        """
        reason, code = f"{type(error).__name__}: {error}", ExitCode.INVALID
        if isinstance(error, NightbenchError):
            reason, code = str(error), error.exit_code
        failure = Failure(tier, suite, " ".join(scrub(reason).split()), code)
        self._failures.append(failure)
        self.on_note(str(failure))

    def skipped(self, tier: Tier, suite: Suite) -> None:
        """Remember that a suite was not run since the night was interrupted."""
        self._skipped.append((tier, suite))
        self.on_note(skipped_note(tier, suite))

    def record(self, measurement: Measurement) -> SavedRun:
        """Judge the targets of a measurement and save both.

        Raises:
            MeasurementError: when it could not be saved; the outcome has it all the same.
        """
        targets = judge_targets(measurement.plan.promises, measurement)
        self._verdicts[measurement.run_id] = SuiteVerdict(measurement, targets)
        saved = self._store.save(measurement, targets, fallback=self.settings.cache / "unsaved")
        self._saved.append(saved)
        return saved

    def judge(self, measurement: Measurement) -> SuiteVerdict:
        """Compare a recorded measurement with the earlier ones of its suite, tier and environment."""
        known = set(self._store.unreadable)
        past = self._store.past_metrics(measurement.suite, measurement.tier, measurement.environment)
        for file in self._store.unreadable:
            if file not in known:
                self.on_note(unreadable_note(file))
        targets = self._verdicts[measurement.run_id].targets
        verdict = SuiteVerdict(measurement, targets, compare(measurement, past))
        self._verdicts[measurement.run_id] = verdict
        return verdict

    def put_alerts(self) -> int:
        """Put into the outbox what has not been told yet; return how many alerts that were.

        Raises:
            MeasurementError: when some could not be kept there; the others are.
        """
        lost: list[str] = []
        put = 0
        for alert, run in self._untold():
            try:
                self._outbox.put(alert, run)
                put += 1
            except MeasurementError as error:
                lost.append(str(error))
        if lost:
            raise MeasurementError("; ".join(lost))
        return put

    def _untold(self) -> list[tuple[Alert, Run]]:
        verdicts = list(self._verdicts.values())[self._told_verdicts :]
        failures = self._failures[self._told_failures :]
        self._told_verdicts += len(verdicts)
        self._told_failures += len(failures)
        steps = [
            FailedStep(failure.tier, failure.suite, self.settings.environment, self.night_id, failure.reason)
            for failure in failures
        ]
        return [
            *((alert, verdict.measurement) for verdict in verdicts for alert in alerts_of([verdict])),
            *((failure_alert(step), step) for step in steps),
        ]

    def deliver(self) -> DeliveryReport:
        """Post what is in the outbox; blocks while it talks to the server."""
        dsn = self.settings.sentry_dsn
        self._delivery = deliver(self._outbox, dsn.get_secret_value() if dsn else None)
        return self._delivery

    def outcome(self) -> NightOutcome:
        """What came of it so far."""
        return NightOutcome(
            night_id=self.night_id,
            verdicts=tuple(self._verdicts.values()),
            failures=tuple(self._failures),
            skipped=tuple(self._skipped),
            saved=tuple(self._saved),
            unreadable=tuple(self._store.unreadable),
            delivery=self._delivery,
        )


_running: ContextVar[Night | None] = ContextVar("nightbench_night", default=None)


def running_night() -> Night | None:
    """The night that is under way in this context."""
    return _running.get()


@asynccontextmanager
async def open_night(
    name: str,
    settings: Settings,
    *,
    display: Display = no_display,
    on_note: OnNote = no_note,
    stop: asyncio.Event | None = None,
) -> AsyncIterator[Night]:
    """Begin a night and provide its subject; the night is the running one inside the block.

    Raises:
        NightbenchError: when there is no subject; that is alerted too.
    """
    night = Night(settings, new_id(name), display=display, on_note=on_note, stop=stop)
    async with AsyncExitStack() as stack:
        try:
            provided = provide_subject(settings, needs=frozenset({"websocket", "database"}))
            night.subject = await stack.enter_async_context(provided)
        except Exception as error:
            night.failed(None, None, error)
            night.put_alerts()
            await asyncio.to_thread(night.deliver)
            raise
        token = _running.set(night)
        try:
            yield night
        finally:
            _running.reset(token)
