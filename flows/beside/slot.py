"""The slot of a subject among machines: a lease on a global concurrency limit of the Prefect server that they share.

Prefect's own `concurrency` gives a lease up for good when it cannot be renewed once, as while the server starts
again; this one goes on asking. A server that is away keeps no run from loading: this machine's own slot still holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from nightbench.night import Night, OnNote
from nightbench.scrub import one_line
from nightbench.slots.holder import Busy, Holder
from nightbench.slots.keys import SlotKey
from nightbench.slots.slot import held
from nightbench.slots.waiting import wait_for
from tasks.links import current_run

LEASE_SECONDS = 90.0
"""How long a slot outlives its holder on the server; that looks for such every 15 s."""
RENEW_SECONDS = 20.0
POLL_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
_RELEASE_SECONDS = 5.0


@asynccontextmanager
async def shared_slot(night: Night) -> AsyncIterator[None]:
    """Hold on the Prefect server the slots that this run holds on this machine, for the length of the block.

    Raises:
        NotBegunError: when the night was told to end while it waited.
        SlotTakenError: when another machine loaded the subject for too long.
    """
    mine = held()
    if mine is None or not mine.shared:
        yield
        return
    async with get_client() as client:
        lease = _Lease(client, mine.shared, current_run(), night.on_note)
        left = max(0.0, night.settings.run.wait_seconds - mine.waited)
        await wait_for(lease.take, seconds=left, stop=night.stop, on_note=night.on_note, poll=POLL_SECONDS)
        keeping = asyncio.create_task(lease.keep())
        try:
            yield
        finally:
            keeping.cancel()
            await lease.release()


class _Lease:
    """The lease of one run on the limits of `keys`."""

    def __init__(
        self, client: PrefectClient, keys: Sequence[SlotKey], run: FlowRun | None, on_note: OnNote
    ) -> None:
        self._client = client
        self._keys = keys
        self._names = [key.shared_name for key in keys]
        self._run = run
        self._on_note = on_note
        self._id: UUID | None = None
        self._told = ""

    async def take(self) -> Busy | None:
        """Take all limits, or tell who has one; a server that does not answer has none to give."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._take()
        # whatever it is, the subject is this machine's
        except Exception as error:  # noqa: BLE001
            self._tell(
                f"runs of other machines are not kept away: the Prefect server gave no slot: {_why(error)}"
            )
            return None

    async def keep(self) -> None:
        """Renew the lease, or take it again when it was lost, until cancelled."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            if self._id is not None and await self._renewed():
                continue
            if (busy := await self.take()) is not None:
                self._tell(f"two runs may be loading the same subject: {busy}, since our slot was lost")

    async def release(self) -> None:
        """Give the limits back; on a server that is away the lease runs out."""
        if self._id is None:
            return
        with suppress(Exception):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._client.release_concurrency_slots_with_lease(self._id)

    async def _take(self) -> Busy | None:
        for name in self._names:
            await self._made(name)
        try:
            answer = await self._client.increment_concurrency_slots_with_lease(
                self._names, 1, "concurrency", LEASE_SECONDS
            )
        except httpx.HTTPStatusError as error:
            # 422: somebody has set the limit to 0
            if error.response.status_code in (423, 422):
                return await self._busy()
            raise
        self._id = UUID(answer.json()["lease_id"])
        if self._run is not None:  # which tells others who has it
            tags = [*self._run.tags, *self._names]
            with suppress(Exception):
                await self._client.update_flow_run(self._run.id, tags=tags)
        return None

    async def _made(self, name: str) -> None:
        try:
            await self._client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            with suppress(ObjectAlreadyExists):
                await self._client.create_global_concurrency_limit(
                    GlobalConcurrencyLimitCreate(name=name, limit=1)
                )

    async def _renewed(self) -> bool:
        """Whether the lease goes on; one that is not known any more is lost, a server that is away may still know it."""
        assert self._id is not None
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._client.renew_concurrency_lease(self._id, LEASE_SECONDS)
        except httpx.HTTPStatusError as error:
            if error.response.status_code == 410:
                self._id = None
        except Exception as error:  # noqa: BLE001  # the measurement goes on, and so do we
            self._tell(f"the slot on the Prefect server cannot be kept: {_why(error)}")
        return self._id is not None

    async def _busy(self) -> Busy:
        for key, name in zip(self._keys, self._names, strict=True):
            if (run := await self._holder_of(name)) is not None:
                return Busy(key.label, run)
        free = "; ".join(f"prefect gcl update {name} --active-slots 0 --limit 1" for name in self._names)
        way_out = (
            f"the slot of a run that was killed is free after {LEASE_SECONDS + 15:.0f} s; "
            f"when nothing runs and it stays taken: {free}"
        )
        return Busy(self._keys[0].label, None, way_out=way_out)

    async def _holder_of(self, name: str) -> Holder | None:
        """The run that wears the limit's name as a tag, if the server tells."""
        under_way = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.CANCELLING])
        tagged = FlowRunFilter(tags=FlowRunFilterTags(all_=[name]), state=FlowRunFilterState(type=under_way))
        try:
            runs = await self._client.read_flow_runs(
                flow_run_filter=tagged, sort=FlowRunSort.START_TIME_DESC, limit=2
            )
        except httpx.HTTPStatusError:  # that it is taken is known, whoever has it
            return None
        others = [run for run in runs if self._run is None or run.id != self._run.id]
        return _holder(others[0]) if others else None

    def _tell(self, text: str) -> None:
        """Once, until it is something else."""
        if text != self._told:
            self._told = text
            self._on_note(text)


def _holder(run: FlowRun) -> Holder:
    since = f"{run.start_time:%Y-%m-%dT%H:%M:%SZ}" if run.start_time else ""
    return Holder(f"the flow run {run.name}", "see the Prefect UI", since)


def _why(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}")
