"""One night: what its tiers gave, step by step, and what came of it.

A night is one call of a flow: all tiers of the nightly one, or a single tier. Nothing in here decides the
order of the steps; the flows do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path

from nightbench.alerts.alert import Alert, alerts_of
from nightbench.alerts.delivery import DeliveryReport, deliver
from nightbench.alerts.failure import Failure, failure_alert
from nightbench.alerts.outbox import Outbox, Run
from nightbench.database import stress_test
from nightbench.database.checking import checks as database_checks
from nightbench.debugging import show_traceback
from nightbench.errors import ConfigurationError, ExitCode, MeasurementError, NightbenchError
from nightbench.history.store import HistoryStore, SavedRun, UnsavedError
from nightbench.load.progress import OnProgress
from nightbench.measurement import Measurement, RunLabel
from nightbench.outcome import NightOutcome, skipped_note, unreadable_note
from nightbench.plan import Suite, Tier, TierPlan
from nightbench.plan.layers import as_it_was_set
from nightbench.reference.provide import BOTH, provide_subject
from nightbench.scrub import scrub
from nightbench.settings import Settings
from nightbench.subject import Subject
from nightbench.verdict.comparison import compare
from nightbench.verdict.targets import judge_targets
from nightbench.verdict.verdict import SuiteVerdict
from nightbench.websocket import load_test

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
        subject: What is loaded; nothing before `provided`.
        display: Shows the running suite.
        on_note: Told at once of what the summary notes later.
        stop: When set, the running suite ends early and no other is started.
        owner: The flow that ends it, of which every further flow is a part.
    """

    def __init__(
        self,
        settings: Settings,
        night_id: str,
        *,
        display: Display = no_display,
        on_note: OnNote = no_note,
        stop: asyncio.Event | None = None,
    ) -> None:
        self.settings = settings
        self.night_id = night_id
        self.subject = Subject()
        self.display = display
        self.on_note = on_note
        self.stop = stop or asyncio.Event()
        self.owner: str | None = None
        self._store = HistoryStore(settings.results)
        self._outbox = Outbox(settings.outbox_folder)
        self._verdicts: dict[str, SuiteVerdict] = {}
        self._failures: list[Failure] = []
        self._warned: set[str] = set()
        self._skipped: list[tuple[Tier, Suite]] = []
        self._kept_aside: Path | None = None
        self._untold: list[tuple[Alert, Run]] = []
        self._known_verdicts = 0
        self._known_failures = 0
        self._delivery: DeliveryReport | None = None

    def __repr__(self) -> str:
        return f"Night({self.night_id!r})"

    def label(self, tier: Tier) -> RunLabel:
        """What a measurement of `tier` belongs to."""
        return RunLabel(tier=tier, night_id=self.night_id, environment=self.settings.environment)

    async def check(self) -> None:
        """Try what can be tried before anything is started: the folders, and the addresses that are set.

        Raises:
            ConfigurationError: for the first that cannot be used.
        """
        self._store.check_writable()
        self._outbox.check_writable()
        if self.settings.websocket_url is not None:
            await load_test.check_reachable(self.settings.websocket_url)
        if self.settings.database_dsn is not None:
            dsn = self.settings.database_dsn.get_secret_value()
            await asyncio.to_thread(database_checks.check_reachable, dsn)

    @asynccontextmanager
    async def provided(self, needs: frozenset[Suite] = BOTH) -> AsyncIterator[None]:
        """Provide the subject for the length of the block.

        Raises:
            NightbenchError: when there is none.
        """
        async with provide_subject(self.settings, needs=needs) as self.subject:
            yield

    async def measure(self, suite: Suite, plan: TierPlan) -> Measurement:
        """Load the subject as `plan` says for `suite`, and show it.

        Raises:
            ConfigurationError: when the subject cannot be loaded.
            MeasurementError: when the load generator gave no result.
        """
        label = self.label(plan.tier)
        with self.display(plan.tier) as on_progress:
            if suite == "websocket":
                return await load_test.run(
                    plan.websocket, self.subject, label, on_progress=on_progress, stop=self.stop
                )
            try:
                return await stress_test.run(
                    plan.database, self.subject, label, on_progress=on_progress, stop=self.stop
                )
            except ConfigurationError as error:
                raise as_it_was_set(error, self.settings.layers(plan.tier), suite) from None

    def failed(
        self, tier: Tier | None, suite: Suite | None, error: BaseException, *, tell: bool = True
    ) -> None:
        """Remember that a step raised; the night goes on.

        Args:
            tier: In which tier; None for a step of the whole night.
            suite: In which suite; None for a step of the whole tier.
            error: What was raised.
            tell: False when whoever called hears of it in another way.
        """
        code = error.exit_code if isinstance(error, NightbenchError) else ExitCode.INVALID
        failure = Failure(tier, suite, self.settings.environment, self.night_id, _reason(error), code)
        self._failures.append(failure)
        show_traceback(error)
        if tell:
            self.on_note(str(failure))

    def unimportant(self, what: str, error: Exception) -> None:
        """Tell that something went wrong without which the night is as good: no failure, no alert."""
        show_traceback(error)
        self.on_note(f"{what}: {_reason(error)}")

    def warn(self, warnings: Iterable[str]) -> None:
        """Tell of what may not be meant so, each once a night, whichever tier it comes up in."""
        for warning in warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                self.on_note(warning)

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
        try:
            return self._store.save(measurement, targets, fallback=self.settings.cache / "unsaved")
        except UnsavedError as error:
            if error.kept is not None:
                self._kept_aside = error.kept.parent
            raise

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
        """Put into the outbox what is not there yet; return how many alerts that were.

        Raises:
            MeasurementError: when some could not be put; the next call tries those again.
        """
        self._find_news()
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

    def _find_news(self) -> None:
        verdicts = list(self._verdicts.values())[self._known_verdicts :]
        failures = self._failures[self._known_failures :]
        self._known_verdicts += len(verdicts)
        self._known_failures += len(failures)
        self._untold += [
            *((alert, verdict.measurement) for verdict in verdicts for alert in alerts_of([verdict])),
            *((failure_alert(failure), failure) for failure in failures),
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
            unreadable=tuple(self._store.unreadable),
            delivery=self._delivery,
            kept_aside=self._kept_aside,
        )


def _reason(error: BaseException) -> str:
    """One line, free of secrets."""
    if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
        return "interrupted: it ended at once"
    text = str(error) if isinstance(error, NightbenchError) else f"{type(error).__name__}: {error}"
    return " ".join(scrub(text).split())
