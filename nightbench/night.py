"""One night: what its tiers gave, step by step, and what came of it.

A night is one call of a flow: all tiers of the nightly one, or a single tier. Nothing in here decides the
order of the steps; the flows do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from nightbench.alerts.delivery import DeliveryReport
from nightbench.alerts.failure import Failure, failure_of, reason_of
from nightbench.blocks import Skipped, Turn
from nightbench.calibration import HostCalibration, calibrate_host
from nightbench.database import stress_test
from nightbench.debugging import show_traceback
from nightbench.display import Display, no_display
from nightbench.errors import ConfigurationError, NightbenchError
from nightbench.history.store import HistoryStore, SavedRun, UnsavedError
from nightbench.load.fleet import LOCAL, Fleet
from nightbench.load.progress import OnProgress
from nightbench.measurement import Measurement, RunLabel
from nightbench.night_alerts import NightAlerts
from nightbench.night_histories import NightHistories
from nightbench.outcome import NightOutcome, unreadable_note
from nightbench.plan import Suite, Tier, TierPlan
from nightbench.plan.layers import as_it_was_set
from nightbench.provide import provide
from nightbench.reachable import check_reachable
from nightbench.reference.provide import BOTH
from nightbench.release_command import find_release
from nightbench.run_length import limit_of, limited
from nightbench.settings import Settings
from nightbench.strictness import policy_of
from nightbench.subject import Subject
from nightbench.tier_verdict import Earlier, earlier_nights, judge_tier, keep, of_suite
from nightbench.verdict.judgement import Verdict
from nightbench.verdict.targets import judge_targets
from nightbench.verdict.verdict import SuiteVerdict, suite_verdict
from nightbench.websocket import load_test

OnNote = Callable[[str], None]


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
        needs: The suites that are loaded in it.
        owner: The flow that ends it, of which every further flow is a part.
        links: Where more of it is to be read, by name, such as its run in the Prefect UI.
        fleet: Where its load comes from.
        policy: How strictly it is judged.
        histories: What of it is worth a chart.
        release: Of the subject; None before `provided`, and when nobody knows it.
        cut_short: Whether the last run of a suite ended before it had measured all.
        cancelled: Whether a user has ended it before its end.
    """

    def __init__(
        self,
        settings: Settings,
        night_id: str,
        *,
        display: Display = no_display,
        on_note: OnNote = no_note,
        stop: asyncio.Event | None = None,
        judgements: int = 1,
        needs: frozenset[Suite] = BOTH,
    ) -> None:
        """Begin a night of `judgements` tiers; what it measures is judged as the settings ask for.

        Raises:
            ConfigurationError: when the settings of the verdict do not agree.
        """
        self.settings = settings
        self.night_id = night_id
        self.subject = Subject()
        self.display = display
        self.on_note = on_note
        self.stop = stop or asyncio.Event()
        self.needs = needs
        self.owner: str | None = None
        self.links: dict[str, str] = {}
        self.fleet: Fleet = LOCAL
        self.policy = policy_of(settings, judgements=judgements)
        self.histories = NightHistories()
        self.release: str | None = None
        self.cut_short = self.cancelled = False
        self._store = HistoryStore(settings.results)
        self._alerts = NightAlerts(settings, night_id)
        self._runs: dict[tuple[Tier, Suite], list[Measurement]] = {}
        self._judged: dict[tuple[Tier, Suite], Verdict] = {}
        self._verdicts: dict[tuple[Tier, Suite], SuiteVerdict] = {}
        self._earlier: tuple[tuple[Tier, frozenset[Suite]], Earlier] | None = None
        self._failures: list[Failure] = []
        self._warned: set[str] = set()
        self._skipped: list[Skipped] = []
        self._kept_aside: Path | None = None

    def __repr__(self) -> str:
        return f"Night({self.night_id!r})"

    async def check(self) -> None:
        """Try what can be tried before anything is started: the folders, and the addresses that are set.

        Raises:
            ConfigurationError: for the first that cannot be used.
        """
        self._store.check_writable()
        self._alerts.check_writable()
        await check_reachable(self.settings, self.needs)

    @asynccontextmanager
    async def provided(self) -> AsyncIterator[None]:
        """Learn the subject's release, and provide it for the length of the block.

        Raises:
            NightbenchError: when there is none.
        """
        self.release, notes = await find_release(self.settings.release, self.settings.release_command)
        self.warn(notes)
        async with provide(self.settings, self.needs) as self.subject:
            yield

    async def measure(self, plan: TierPlan, turn: Turn) -> Measurement:
        """Measure the host, then load the subject as `plan` says for the suite of `turn`, and show it.

        Raises:
            ConfigurationError: when the subject cannot be loaded.
            MeasurementError: when the load generator gave no result.
        """
        of_this = (plan.tier, self.night_id, self.settings.environment, turn.role, turn.block)
        label = RunLabel(*of_this, release=self.release)
        host = await self._calibrated()
        with self.display(turn.label(plan)) as on_progress:
            run = lambda stop: self._load(plan, turn.suite, label, on_progress, stop)  # noqa: E731  # it is called once
            measurement = await limited(run, self.stop, limit_of(plan, turn.suite))
            self.cut_short = not measurement.validity.complete
        return replace(measurement, metrics=(*measurement.metrics, *host.metrics))

    async def _load(
        self, plan: TierPlan, suite: Suite, label: RunLabel, on_progress: OnProgress, stop: asyncio.Event
    ) -> Measurement:
        subject, fleet = self.subject, self.fleet
        try:
            if suite == "websocket":
                return await load_test.run(
                    plan.websocket, subject, label, on_progress=on_progress, stop=stop, fleet=fleet
                )
            return await stress_test.run(
                plan.database, subject, label, on_progress=on_progress, stop=stop, fleet=fleet
            )
        except ConfigurationError as error:
            known = self.settings.as_set(error)
            raise as_it_was_set(known, self.settings.layers(plan.tier), suite) from None

    async def _calibrated(self) -> HostCalibration:
        folder = self.settings.results_folder or self.settings.cache
        host = await asyncio.to_thread(calibrate_host, folder)
        self.warn(host.notes)
        return host

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
        failure = failure_of(error, tier, suite, self.settings.environment, self.night_id)
        self._failures.append(failure)
        show_traceback(error)
        if tell:
            self.on_note(str(failure))

    def unimportant(self, what: str, error: Exception) -> None:
        """Tell that something went wrong without which the night is as good: no failure, no alert."""
        show_traceback(error)
        self.on_note(f"{what}: {reason_of(error)}")

    def warn(self, warnings: Iterable[str]) -> None:
        """Tell of what may not be meant so, each once a night, whichever tier it comes up in."""
        for warning in warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                self.on_note(warning)

    def skipped(self, what: Iterable[Skipped]) -> None:
        """Remember what was not run since the night was interrupted."""
        for each in what:
            self._skipped.append(each)
            self.on_note(str(each))

    def record(self, measurement: Measurement) -> SavedRun:
        """Judge the targets of a measurement and save both.

        Raises:
            MeasurementError: when it could not be saved; the outcome has it all the same.
        """
        place = (measurement.tier, measurement.suite)
        runs = self._runs.setdefault(place, [])
        runs.append(measurement)
        if measurement.role in ("night", "rerun"):
            self._verdicts[place] = suite_verdict(runs, self._judged.get(place))
        targets = judge_targets(measurement.plan.promises, measurement)
        try:
            return self._store.save(measurement, targets, fallback=self.settings.cache / "unsaved")
        except UnsavedError as error:
            if error.kept is not None:
                self._kept_aside = error.kept.parent
            raise

    def judge(self, tier: Tier) -> tuple[SuiteVerdict, ...]:
        """Compare what was recorded of a tier with the earlier nights, and keep what came of it.

        It may be called again when suspects were repeated.
        """
        known = set(self._store.unreadable)
        runs = [run for place, runs in self._runs.items() if place[0] == tier for run in runs]
        if not runs:
            return ()
        verdict = judge_tier(self._earlier_than(tier, runs), runs, self.policy)
        for file in self._store.unreadable:
            if file not in known:
                self.on_note(unreadable_note(file))
        for place in [place for place in self._runs if place[0] == tier]:
            self._judged[place] = of_suite(verdict, place[1])
            self._verdicts[place] = suite_verdict(self._runs[place], self._judged[place])
        judged = {suite: each for (of, suite), each in self._verdicts.items() if of == tier}
        self.histories.note(judged.values(), self._earlier_than(tier, runs))
        keep(self._store, verdict, judged)
        return tuple(judged.values())

    def _earlier_than(self, tier: Tier, runs: Sequence[Measurement]) -> Earlier:
        """The nights before this one; read once a tier, and that of one tier is in memory."""
        of = (tier, frozenset(run.suite for run in runs))
        if self._earlier is None or self._earlier[0] != of:
            self._earlier = (of, earlier_nights(self._store, runs, self.policy))
        return self._earlier[1]

    def put_alerts(self) -> int:
        """Put into the outbox what is not there yet; return how many alerts that were.

        Raises:
            MeasurementError: when some could not be put; the next call tries those again.
        """
        earlier = None if self._earlier is None else self._earlier[1]
        # it may run in a thread
        verdicts, failures = tuple(self._verdicts.values()), tuple(self._failures)
        self._alerts.find(verdicts, failures, earlier=earlier, links=self.links)
        return self._alerts.put()

    def deliver(self) -> DeliveryReport:
        """Post what is in the outbox, and save what became of it; blocks while it talks to the server."""
        report = self._alerts.deliver()
        try:
            self._alerts.save_rows(self._store)
        except NightbenchError as error:
            self.failed(None, None, error, tell=not self._failures)  # the first says what is wrong
        return report

    def outcome(self) -> NightOutcome:
        """What came of it so far."""
        return NightOutcome(
            night_id=self.night_id,
            release=self.release,
            verdicts=tuple(self._verdicts.values()),
            failures=tuple(self._failures),
            skipped=tuple(self._skipped),
            unreadable=tuple(self._store.unreadable),
            alerts=self._alerts.records,
            delivery=self._alerts.delivery,
            kept_aside=self._kept_aside,
            cancelled=self.cancelled,
            steps=sum(run.role == "capacity" for runs in self._runs.values() for run in runs),
        )
