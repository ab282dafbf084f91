"""What is said to one shard on a Dask worker and heard from it, and when it counts as lost."""

from __future__ import annotations

import asyncio
import time

from distributed import Client

from flows.fleet import worker_side
from flows.fleet.protocol import BEAT_SECONDS, LOST_SECONDS, Answer, Instruction
from nightbench.errors import MeasurementError
from nightbench.load.machines import Station
from nightbench.scrub import one_line

ANSWER_SECONDS = 3.0
"""How long an answer may take before it is asked for again."""


class ShardLink:
    """What the flow has to one shard."""

    def __init__(self, client: Client, station: Station, key: str) -> None:
        self._client = client
        self._station = station
        self._key = key
        self._heard_at = time.monotonic()
        self._seen = False

    async def say(self, instruction: Instruction) -> Answer | None:
        """Say `instruction` and return the answer; None when there was none this time.

        Raises:
            MeasurementError: when the shard is lost.
        """
        station = self._station
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                said = await self._client.run(
                    worker_side.hear, self._key, instruction, workers=[station.address], on_error="return"
                )
            answer = said.get(station.address)
        except (TimeoutError, OSError) as error:
            answer = error
        if not isinstance(answer, Answer):
            await self._silent(answer)
            return None
        if answer.worker != station.identity:
            raise MeasurementError(f"{self._name} was lost: it was started anew")
        if answer.is_there or not self._seen:
            self._heard_at = time.monotonic()
        elif self._silence > LOST_SECONDS:
            raise MeasurementError(f"{self._name} was lost: it has ended the shard and sent no result")
        self._seen = self._seen or answer.is_there
        return answer

    async def say_last(self, instruction: Instruction) -> None:
        """Say `instruction` to a shard that nobody listens to any more, if it can still be reached."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._client.run(
                    worker_side.hear,
                    self._key,
                    instruction,
                    workers=[self._station.address],
                    on_error="ignore",
                )
        except (TimeoutError, OSError):
            pass  # it hears nothing, which ends it too

    async def _silent(self, why: object) -> None:
        if self._client.status != "running":
            raise MeasurementError(f"{self._name} was lost: the Dask scheduler is gone")
        if not await self._is_known():
            raise MeasurementError(f"{self._name} was lost: its process ended, or its connection broke")
        if self._silence > LOST_SECONDS:
            problem = one_line(f"{type(why).__name__}: {why}") if isinstance(why, Exception) else "no answer"
            msg = f"{self._name} was lost: silent for {self._silence:.0f} s ({problem})"
            raise MeasurementError(msg)
        await asyncio.sleep(BEAT_SECONDS / 2)

    async def _is_known(self) -> bool:
        """Whether the scheduler still counts on the worker; True where it does not say."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return self._station.address in await self._client.nthreads()
        except (TimeoutError, OSError):
            return True

    @property
    def _silence(self) -> float:
        return time.monotonic() - self._heard_at

    @property
    def _name(self) -> str:
        return f"the Dask worker {self._station.address}"
