"""Watches the server while it is loaded: a thread with one connection of its own, beside those of the load."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import psycopg

from nightbench.database.connection import APPLICATION_NAME, break_off
from nightbench.database.observation import Observation
from nightbench.database.observing.side_connection import SideConnection, open_side_connection
from nightbench.database.observing.watch import Job, Watch
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Statement, Workload
from nightbench.errors import NightbenchError
from nightbench.plan import DatabasePlan
from nightbench.scrub import scrub

START_SECONDS = 5.0
"""How long the start waits for the first connection."""
STOP_SECONDS = 8.0
"""How long the last look may take before its connection is broken off."""
BREAK_SECONDS = 1.0
RECONNECT_SECONDS = 0.5

_clock = time.monotonic


class Observer:
    """Looks, probes and pairs, each as seldom as it has to be; what fails is told in `Observation.absent`.

    `begin` and `stop` are to be called by the same thread.

    Args:
        dsn: As the load has it.
        plan: Of the run.
        workload: Of the run; what the probes ask.
        settings: That make a transaction one of a tenant.
        policy: The read that tells what the policies cost (`policy_statement`); None for no such pairs.
        load_application: The application_name of the load's connections.
    """

    def __init__(
        self,
        dsn: str,
        plan: DatabasePlan,
        workload: Workload,
        settings: TenantSettings,
        *,
        policy: Statement | None,
        load_application: str = APPLICATION_NAME,
    ) -> None:
        self._dsn = dsn
        self._statement_timeout = plan.statement_timeout
        self._watch = Watch(plan, workload, settings, policy=policy, load_application=load_application)
        self._jobs: Sequence[Job] = ()
        self._side: SideConnection | None = None
        self._published = (Observation(), False)
        self._losses = 0
        self._why_lost = ""
        self._failure: str | None = None
        self._ended_well = False
        self._ready, self._begun, self._over, self._given_up, self._wake = (
            threading.Event() for _ in range(5)
        )
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def start(self) -> None:
        """Connect, and see what there is to be seen; waits for it for a few seconds at most."""
        self._thread.start()
        self._ready.wait(START_SECONDS)

    def begin(self) -> None:
        """The measure phase begins: counters from here on. Does not wait."""
        self._begun.set()
        self._wake.set()

    def stop(self) -> Observation:
        """Take the last look, end the thread and tell all; within `STOP_SECONDS` and a bit, whatever the server does."""
        self._over.set()
        self._wake.set()
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            self._given_up.set()
            if self._side is not None:
                break_off(self._side.connection)
            self._thread.join(BREAK_SECONDS)
        return self._with_losses(*self._published)

    def _with_losses(self, seen: Observation, to_the_end: bool) -> Observation:
        absent = list(seen.absent) if self._failure is None else [*seen.absent, self._failure]
        if self._losses:
            often = "once" if self._losses == 1 else f"{self._losses} times"
            absent.append(f"the observer was without the server {often}: {self._why_lost}")
        if self._begun.is_set() and not to_the_end:
            absent.append("the last look at the server is missing; its figures end with the one before")
        return replace(seen, absent=tuple(absent))

    # the thread

    def _run(self) -> None:
        for part in (self._attend_to_all, self._publish):
            try:
                part()
            except Exception as error:  # noqa: BLE001  # whatever it is: the run goes on without it
                self._failure = f"the observer failed, which is an error of nightbench: {_told(error)}"
        self._ready.set()

    def _publish(self) -> None:
        """Say what has been seen by now, and whether that is all; what is written later nobody else reads."""
        self._published = (self._watch.observation(), self._ended_well)

    def _attend_to_all(self) -> None:
        while not self._attend():
            pass

    def _attend(self) -> bool:
        """Watch over one connection; whether the run is over."""
        ending = self._over.is_set()
        try:
            with open_side_connection(self._dsn, self._statement_timeout) as connection:
                self._side = SideConnection(connection, self._watch.cost)
                if self._given_up.is_set():  # nobody waits for it any more
                    return True
                self._keep_watch(self._side)
        except (psycopg.Error, NightbenchError, OSError, UnicodeError) as error:
            self._lose(error)
            self._ready.set()
            self._over.wait(RECONNECT_SECONDS)
            return ending or self._given_up.is_set()
        return True

    def _lose(self, error: Exception) -> None:
        self._losses += 1
        self._why_lost = _told(error)
        self._publish()

    def _keep_watch(self, side: SideConnection) -> None:
        if not self._watch.begun:
            self._watch.prepare(side)
        self._ready.set()
        while not self._over.is_set():
            if not self._begin_when_told(side):
                self._do_what_is_due(side)
        self._begin_when_told(side)
        self._watch.end(side)
        self._ended_well = True
        self._watch.complete(side)

    def _begin_when_told(self, side: SideConnection) -> bool:
        """Whether the measure phase began just now."""
        if self._watch.begun or not self._begun.is_set():
            return False
        self._watch.begin(side)
        self._jobs = self._watch.jobs
        return True

    def _do_what_is_due(self, side: SideConnection) -> None:
        """The next job when its time has come, or wait for it, or for what others have to say."""
        job = min(self._jobs, key=lambda each: each.due, default=None)
        pause = None if job is None else max(0.0, job.due - _clock())
        if self._wake.wait(pause):
            self._wake.clear()
        elif job is not None:
            job.run(side)


def _told(error: Exception) -> str:
    return scrub(" ".join(str(error).split())) or type(error).__name__
