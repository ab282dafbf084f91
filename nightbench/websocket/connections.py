"""Who is connected: users come one after the other, and some are lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from nightbench.load.agenda import Agenda
from nightbench.load.phases import Phases
from nightbench.load.schedule import ramp_offset
from nightbench.plan import WebSocketPlan
from nightbench.websocket.client import Connection, ConnectionFailedError, Endpoint
from nightbench.websocket.messages import Messages, User
from nightbench.websocket.records import Records

_clock = time.perf_counter_ns


class Connections:
    """The connections of all users.

    Args:
        plan: How long a handshake may take.
        endpoint: Where to.
        users: Who connects; each keeps its connection itself.
        records: Where it is written down.
        messages: What a user does with its connection.

    Attributes:
        active: How many users are connected.
        most: The most that were at one instant.
        last_opened: When the last one was opened, monotonic ns; None before the first.
    """

    def __init__(
        self,
        plan: WebSocketPlan,
        endpoint: Endpoint,
        users: Sequence[User],
        records: Records,
        messages: Messages,
    ) -> None:
        self._plan = plan
        self._endpoint = endpoint
        self._users = users
        self._records = records
        self._messages = messages
        self._opening: set[asyncio.Task[None]] = set()
        self.active = 0
        self.most = 0
        self.last_opened: int | None = None

    def enter(self, agenda: Agenda, phases: Phases) -> None:
        """Enter when each user connects: evenly over the ramp."""
        ramp = phases.warmup - phases.start
        for user in self._users:
            due = phases.start + ramp_offset(user.index, len(self._users), ramp)
            agenda.at(due, partial(self._connect, user))

    @property
    def opening(self) -> bool:
        """Whether somebody is being connected."""
        return bool(self._opening)

    @property
    def all_lost(self) -> bool:
        """Whether there were connections, and none is left or on its way."""
        return self.last_opened is not None and self.active == 0 and not self._opening

    async def close(self) -> None:
        """Give up those that are not open yet, and close the others."""
        for task in self._opening:
            task.cancel()
        open_ones = [user.connection for user in self._users if user.connection is not None]
        await asyncio.gather(*self._opening, *(c.close() for c in open_ones), return_exceptions=True)

    def _connect(self, user: User, due: int) -> None:
        self._records.connection_due()
        task = asyncio.create_task(self._open(user, due))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, user: User, due: int) -> None:
        sent = _clock()
        connection = Connection(
            self._endpoint, partial(self._messages.receive, user), partial(self._lose, user)
        )
        try:
            await connection.open(within=self._plan.connect_timeout)
        except ConnectionFailedError as failure:
            self._records.connection_failed(failure.error, due=due, sent=sent, now=_clock())
            return
        except asyncio.CancelledError:
            self._records.connection_failed("cancelled", due=due, sent=sent, now=_clock())
            raise
        opened = _clock()
        self._records.connection_opened(due=due, sent=sent, now=opened)
        user.connection = connection
        self.active += 1
        self.most = max(self.most, self.active)
        self.last_opened = opened
        self._messages.begin(user, opened)

    def _lose(self, user: User, error: str) -> None:
        user.connection = None
        user.lost = error
        self.active -= 1
        self._records.connection_lost(error)
        self._messages.abandon(user, error)
