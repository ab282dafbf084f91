"""What runs the shards of a load test: processes of this machine, or those of others."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol

from nightbench.host import fingerprint
from nightbench.load.child import run_in_child
from nightbench.load.child_side import Generator
from nightbench.load.phases import SECOND
from nightbench.load.progress import OnProgress
from nightbench.plan import Suite
from nightbench.processes import Process

UNHEARD_SECONDS = 15.0
"""How long a crew on other machines may go on once nobody can tell it any more to end."""


class Crew(Protocol):
    """Who does the shards of one load test: each shard once, all from one instant on."""

    @property
    def host(self) -> Mapping[str, Any]:
        """What generates the load: see `nightbench.host.fingerprint`."""

    @property
    def details(self) -> Mapping[str, Any]:
        """What else is stored of it, JSON-like."""

    @property
    def is_here(self) -> bool:
        """Whether any process of this machine can have the same; else only the one that has this crew runs it."""

    async def run(
        self,
        shard: int,
        generator: Generator,
        spec: Any,
        *,
        on_progress: OnProgress,
        stop: asyncio.Event,
        grace: float,
        patience: float,
    ) -> Any:
        """Run ``generator(spec)`` for one shard and return its result; see `run_in_child` for the arguments.

        The load begins when all shards have been called for and are ready: `spec` is a dataclass with a field
        `start_at`, which is set then. That wait takes nothing from `patience`.

        Raises:
            ConfigurationError: as raised by the generator.
            MeasurementError: when it failed, was lost, gave no result or said nothing for too long.
            NotBegunError: when `stop` was set before the load began.
        """


class Fleet(Protocol):
    """Where crews come from."""

    def crew(self, suite: Suite, shards: int, *, lead: float) -> AbstractAsyncContextManager[Crew]:
        """The crew for one load test, for the length of the block.

        Args:
            suite: What it is for.
            shards: How many; each is to be called for.
            lead: Seconds that a shard needs before its load, on top of the start of its interpreter.

        Raises:
            ConfigurationError: when there are not enough machines, or not the right ones.
        """


class LocalCrew:
    """Each shard in a process of this machine."""

    is_here = True
    details: Mapping[str, Any] = {}

    def __init__(self, shards: int, lead: float, *, ahead: list[Process] | None = None) -> None:
        """Shards that need `lead` seconds; `ahead` are processes that `start_child` has begun, each for one shard."""
        self._shards = shards
        self._ahead = [] if ahead is None else ahead
        self._lead = lead_seconds(shards) + lead
        self._begun: tuple[int | None] | None = None
        self.host = fingerprint()

    async def run(
        self,
        shard: int,  # noqa: ARG002  # here all are alike
        generator: Generator,
        spec: Any,
        *,
        on_progress: OnProgress,
        stop: asyncio.Event,
        grace: float,
        patience: float,
    ) -> Any:
        """See `Crew.run`."""
        if self._begun is None:
            self._begun = (start_of(self._shards, lead=self._lead),)
        return await run_in_child(
            generator,
            replace(spec, start_at=self._begun[0]),
            on_progress=on_progress,
            stop=stop,
            grace=grace,
            patience=patience + self._lead,
            started=self._ahead.pop() if self._ahead else None,
        )


class LocalFleet:
    """This machine."""

    @asynccontextmanager
    async def crew(self, suite: Suite, shards: int, *, lead: float) -> AsyncIterator[Crew]:  # noqa: ARG002  # any
        """See `Fleet.crew`."""
        yield LocalCrew(shards, lead)


LOCAL = LocalFleet()


def start_of(count: int, *, lead: float) -> int | None:
    """When `count` shards begin together, wall-clock ns; None, at once, for a single one."""
    return None if count == 1 else time.time_ns() + round(lead * SECOND)


def lead_seconds(count: int, cores: int | None = None) -> float:
    """How long so many interpreters take to start on a machine of so many cores, this one's unless said otherwise."""
    return 2.0 + 2.0 * count / (cores or os.cpu_count() or 1)
