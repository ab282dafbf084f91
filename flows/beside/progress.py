"""The progress of a running suite as an artifact, which the Prefect UI shows while it runs.

It stands beside the measurement and never in its way: the artifact is written by a task of its own with a client of
its own, each request has a time-out, and what a server does not take is lost without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.utilities.context import get_task_and_flow_run_ids

from nightbench.display import Display
from nightbench.load.progress import OnProgress, Progress
from nightbench.report.markdown import said
from nightbench.report.progress import in_one_line, name_of, share
from nightbench.running import running_night

KEY = "nightbench-progress"

EVERY_SECONDS = 2.0
"""From one update to the next, at least."""
REQUEST_SECONDS = 5.0
"""How long the server may take for one."""
LAST_SECONDS = 5.0
"""How long the end of a night waits for the last updates."""


class ProgressArtifact:
    """The artifact of one run of a suite: made at its begin, brought up to date now and then, and told its end.

    Args:
        label: What runs: the tier and its block.
        every: Seconds between two updates.
    """

    def __init__(self, label: str, every: float = EVERY_SECONDS) -> None:
        self._label = label
        self._every = every
        self._progress: Progress | None = None
        self._end: str | None = None
        self._ended = asyncio.Event()
        self._id: UUID | None = None

    def show(self, progress: Progress) -> None:
        """Remember how far it is; of several between two updates the last one is told."""
        self._progress = progress

    def end(self, how: str) -> None:
        """Tell as the last thing how it ended; nothing is told after that."""
        self._end = how
        self._ended.set()

    async def keep(self) -> None:
        """Write the artifact until the end; what goes wrong on the way there is tried again with the next update."""
        with suppress(Exception):
            async with get_client() as client:
                told: tuple[float, str] | None = None
                while not self._ended.is_set():
                    state = self._state()
                    if state != told and await self._write(client, *state):
                        told = state
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._ended.wait(), self._every)
                await self._write(client, *self._state())

    def _state(self) -> tuple[float, str]:
        """How much is done, in percent, and in words; of a bar that is full only what is done has one."""
        progress, end = self._progress, self._end
        if end is not None:
            name = self._label if progress is None else name_of(self._label, progress)
            return 100.0, said(f"{name}: {end}")
        if progress is None:
            return 0.0, said(f"{self._label}: begins")
        return min(round(100 * share(progress), 1), 99.0), said(in_one_line(self._label, progress))

    async def _write(self, client: PrefectClient, percent: float, words: str) -> bool:
        """Make the artifact or bring it up to date; return whether the server has taken it."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                if self._id is None:
                    self._id = await _made(client, percent, words)
                else:
                    await client.update_artifact(self._id, ArtifactUpdate(data=percent, description=words))
        except Exception:  # noqa: BLE001  # whatever it is, the measurement is as good without it
            return False
        return True


async def _made(client: PrefectClient, percent: float, words: str) -> UUID:
    task_run, flow_run = get_task_and_flow_run_ids()
    made = await client.create_artifact(
        ArtifactCreate(
            type="progress",
            key=KEY,
            description=words,
            data=percent,
            task_run_id=task_run,
            flow_run_id=flow_run,
        )
    )
    return made.id


@asynccontextmanager
async def progress_artifacts(every: float = EVERY_SECONDS) -> AsyncIterator[Display]:
    """Yield a display that has an artifact for each run of a suite; wait at the end for what is still on its way."""
    under_way: set[asyncio.Task[None]] = set()

    @contextmanager
    def display(label: str) -> Iterator[OnProgress]:
        artifact = ProgressArtifact(label, every)
        writing = asyncio.create_task(artifact.keep())
        under_way.add(writing)
        writing.add_done_callback(under_way.discard)
        how = "broke off"
        try:
            yield artifact.show
            how = "ended early" if _cut_short() else "done"
        finally:
            artifact.end(how)

    try:
        yield display
    finally:
        if under_way:
            _, late = await asyncio.wait(set(under_way), timeout=LAST_SECONDS)
            for each in late:
                each.cancel()


def _cut_short() -> bool:
    night = running_night()
    return night is not None and night.cut_short
