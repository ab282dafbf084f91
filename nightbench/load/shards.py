"""One load test in several processes: each does its part, from one agreed instant on."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

from nightbench.errors import MeasurementError, NightbenchError, NotBegunError
from nightbench.load.child import PATIENCE_SECONDS
from nightbench.load.child_side import Generator
from nightbench.load.fleet import Crew
from nightbench.load.health import Health
from nightbench.load.ledger import OperationCounts, added
from nightbench.load.phases import Phases
from nightbench.load.progress import OnProgress, Progress, combined
from nightbench.load.timeline import Times
from nightbench.scrub import learn

Spec = TypeVar("Spec")


class PartResult(Protocol):
    """What one shard saw."""

    @property
    def started_at(self) -> datetime: ...
    @property
    def phases(self) -> Phases: ...
    @property
    def counted(self) -> dict[str, OperationCounts]: ...
    @property
    def uncounted(self) -> dict[str, OperationCounts]: ...
    @property
    def times(self) -> tuple[Times, ...]: ...
    @property
    def health(self) -> Health: ...
    @property
    def last_ok(self) -> int: ...
    @property
    def starved(self) -> tuple[str, ...]: ...
    @property
    def given_up(self) -> str | None:
        """Why it ended before its plan did, or None."""


Part = TypeVar("Part", bound=PartResult)


class Parts(NamedTuple, Generic[Part]):
    """What the shards of one load test saw.

    Attributes:
        results: Of those that came to their end, in order.
        lost: Why a shard has no result, by its number.
    """

    results: list[Part]
    lost: dict[int, str]

    def each_with_number(self) -> list[tuple[int, Part]]:
        """The results with the numbers of their shards."""
        numbers = (number for number in itertools.count() if number not in self.lost)
        return list(zip(numbers, self.results, strict=False))

    @property
    def given_up(self) -> str | None:
        """Why the load test ended before its plan did, or None: what each of several says of itself."""
        if not self.lost and len(self.results) == 1:
            return self.results[0].given_up
        reasons = {number: each.given_up for number, each in self.each_with_number() if each.given_up}
        reasons |= self.lost
        return "; ".join(f"shard {number}: {reasons[number]}" for number in sorted(reasons)) or None


def merged_account(parts: Parts[Part]) -> dict[str, Any]:
    """The fields of `PartResult` as those of one generator that had done it all, by name.

    Counts and times add up exactly. The phases are those of the shard that went on longest; what keeps one
    shard from being trusted or complete does so for all, and so does one that was lost.
    """
    shards = parts.results
    return {
        "started_at": min(each.started_at for each in shards),
        "phases": max((each.phases for each in shards), key=lambda phases: (phases.drain, phases.end)),
        "counted": added([each.counted for each in shards]),
        "uncounted": added([each.uncounted for each in shards]),
        "times": tuple(Times.merged(same) for same in zip(*(each.times for each in shards), strict=True)),
        "health": Health.merged([each.health for each in shards]),
        "last_ok": max(each.last_ok for each in shards),
        "starved": tuple(
            f"shard {number}: {reason}"
            for number, each in parts.each_with_number()
            for reason in each.starved
        ),
        "given_up": parts.given_up,
    }


async def run_parts(
    generator: Callable[[Spec, OnProgress, Any], Part],
    specs: Sequence[Spec],
    *,
    crew: Crew,
    on_progress: OnProgress,
    stop: asyncio.Event,
    grace: float,
    patience: float = PATIENCE_SECONDS,
) -> Parts[Part]:
    """Have `crew` run each of `specs` and return what they saw.

    When one of them gives up or is lost, the others end early too.

    Args:
        generator: See `run_in_child`.
        specs: One a shard.
        crew: Runs them.
        on_progress: Called with what they tell, as that of one.
        stop: When set, all end early.
        grace: Seconds that each may take to end after that.
        patience: Seconds that each may say nothing.

    Raises:
        ConfigurationError: as raised by a generator.
        MeasurementError: when none of them has a result.
        NotBegunError: when that is so since `stop` was set before they began.
    """
    for spec in specs[:1]:  # what is secret in one is so in all
        learn(spec)
    reports: dict[int, Progress] = {}
    ending = asyncio.Event()

    def report(shard: int, progress: Progress) -> None:
        reports[shard] = progress
        if shard == min(reports):
            on_progress(combined(list(reports.values())))

    async def run(number: int, spec: Spec) -> Part | NightbenchError:
        try:
            result: Part = await crew.run(
                number,
                cast(Generator, generator),
                spec,
                on_progress=lambda progress: report(number, progress),
                stop=ending,
                grace=grace,
                patience=patience,
            )
        except (MeasurementError, NotBegunError) as error:
            ending.set()
            return error
        finally:
            reports.pop(number, None)  # the others go on reporting
        if result.given_up is not None:
            ending.set()
        return result

    async def follow() -> None:
        await stop.wait()
        ending.set()

    tasks = [asyncio.create_task(run(number, spec)) for number, spec in enumerate(specs)]
    following = asyncio.create_task(follow())
    try:
        return _parts(await asyncio.gather(*tasks))
    finally:
        for task in (*tasks, following):
            task.cancel()
        await asyncio.gather(*tasks, following, return_exceptions=True)


def _parts(outcomes: Sequence[Part | NightbenchError]) -> Parts[Part]:
    lost = {number: each for number, each in enumerate(outcomes) if isinstance(each, NightbenchError)}
    if len(lost) == len(outcomes):
        # those that had not begun were told to end since another was lost
        raise next((each for each in lost.values() if not isinstance(each, NotBegunError)), lost[0])
    return Parts(
        [each for each in outcomes if not isinstance(each, NightbenchError)],
        {number: str(error) for number, error in lost.items()},
    )
