"""Who is connected: users come one after the other, and some are lost and come again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from nightbench.load.agenda import Agenda
from nightbench.load.backoff import RECOVERED_SECONDS, pause_ns
from nightbench.load.phases import SECOND, Phases
from nightbench.load.schedule import ramp_offset
from nightbench.plan import WebSocketPlan
from nightbench.websocket.client import Connection, ConnectionFailedError, Endpoint
from nightbench.websocket.messages import Messages
from nightbench.websocket.provisions import Provisions, headers_of
from nightbench.websocket.records import CONNECTION, RECONNECTION, Records
from nightbench.websocket.user import User

_clock = time.perf_counter_ns


class Connections:
    """The connections of all users.

    Args:
        plan: When users connect, how long a handshake may take, and whether who is lost tries again.
        endpoint: Where to.
        provisions: Who they say that they are.
        users: Who connects; each keeps its connection itself.
        agenda: Where it is entered when somebody connects; once it is closed, nobody does any more.
        records: Where it is written down.
        messages: What a user does with its connection.
    """

    def __init__(
        self,
        plan: WebSocketPlan,
        endpoint: Endpoint,
        provisions: Provisions,
        *,
        users: Sequence[User],
        agenda: Agenda,
        records: Records,
        messages: Messages,
    ) -> None:
        self._plan = plan
        self._endpoint = endpoint
        self._provisions = provisions
        self._users = users
        self._agenda = agenda
        self._records = records
        self._messages = messages
        self._opening: set[asyncio.Task[None]] = set()

    def enter(self, phases: Phases) -> None:
        """Enter when each user connects, over the ramp."""
        plan = self._plan
        ramp = phases.warmup - phases.start
        for user in self._users:
            offset = ramp_offset(user.index, plan.users, ramp, plan.ramp_shape, plan.ramp_steps)
            self._agenda.at(phases.start + offset, partial(self._connect, user, CONNECTION))

    @property
    def opening(self) -> bool:
        """Whether somebody is being connected."""
        return bool(self._opening)

    async def close(self) -> None:
        """Give up those that are not open yet, and close the others."""
        self._agenda.close()
        for task in self._opening:
            task.cancel()
        open_ones = [user.connection for user in self._users if user.connection is not None]
        await asyncio.gather(*self._opening, *(c.close() for c in open_ones), return_exceptions=True)

    def _connect(self, user: User, operation: str, due: int) -> None:
        self._records.connection_due(operation)
        task = asyncio.create_task(self._open(user, operation, due))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, user: User, operation: str, due: int) -> None:
        sent = _clock()
        connection = Connection(
            self._endpoint,
            headers_of(self._plan, self._provisions, user.index),
            partial(self._messages.receive, user),
            partial(self._lose, user),
        )
        try:
            await connection.open(within=self._plan.connect_timeout)
        except ConnectionFailedError as failure:
            self._records.connection_failed(operation, failure.error, due=due, sent=sent, now=_clock())
            user.lost = failure.error
            self._try_again(user)
            return
        except asyncio.CancelledError:
            self._records.connection_failed(operation, "cancelled", due=due, sent=sent, now=_clock())
            raise
        self._records.connection_opened(operation, connection, due=due, sent=sent)
        opened = connection.opened_at
        if user.lost_at:
            self._records.connection_regained(lost=user.lost_at, opened=opened)
        user.connection, user.lost, user.lost_at = connection, None, 0
        self._messages.begin(user, opened)

    def _lose(self, user: User, error: str) -> None:
        assert user.connection is not None
        now = _clock()
        opened, user.connection = user.connection.opened_at, None
        user.lost, user.lost_at = error, now
        self._records.connection_lost(error, now)
        self._messages.abandon(user, error)
        if now - opened > RECOVERED_SECONDS * SECOND:
            user.attempts = 0
        self._try_again(user)

    def _try_again(self, user: User) -> None:
        """After a pause, which is longer each time; an end of the run comes first."""
        if not self._plan.reconnect:
            return
        due = _clock() + pause_ns(user.attempts, user=user.index, seed=self._plan.seed)
        user.attempts += 1
        self._agenda.at(due, partial(self._connect, user, RECONNECTION))
