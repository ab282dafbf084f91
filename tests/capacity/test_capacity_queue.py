"""The knee of a simulated backend that queues is found by its measurements, as of a real one."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import replace

from builders import invalidated, websocket_measurement, with_metric

from nightbench.capacity.finding import find_capacity
from nightbench.capacity.search import SearchPlan
from nightbench.tiers import TIERS

SEARCH = SearchPlan(start=20, lowest=1, highest=10_000, precision=0.03, budget=math.inf)
FULL = TIERS["full"]
SERVICE_MS = 60.0
LIMIT_MS = 2000.0
RUN = websocket_measurement()


class Queue:
    """A queue of one server: its P95 rises with 1 / (1 − load), and no two measurements of a load are the same."""

    def __init__(self, users: float, seed: int):
        self.most = users
        self._dice = random.Random(seed)

    @property
    def knee(self) -> float:
        """The users at which P95 reaches its target."""
        return self.most * (1 - SERVICE_MS * math.log(20) / LIMIT_MS)

    async def __call__(self, plan, turn):
        busy = plan.websocket.users / self.most
        p95 = 9_000.0 if busy >= 1 else min(SERVICE_MS * math.log(20) / (1 - busy), 9_000.0)
        run = replace(RUN, plan=plan.websocket, role=turn.role, block=turn.block)
        run = with_metric(run, "connection.connected_users", plan.websocket.users)
        run = with_metric(run, "message.response_time.p95", p95 * math.exp(self._dice.gauss(0, 0.1)))
        return invalidated(run, "the generator was saturated") if self._dice.random() < 0.05 else run


def test_it_is_within_5_percent_in_50_seeds():
    for seed in range(50):
        queue = Queue(users=60 * 1.09**seed, seed=seed)
        result = asyncio.run(
            find_capacity(
                SEARCH,
                FULL,
                "websocket",
                seconds=20,
                measure=queue,
                on_step=lambda _step: None,
                stopped=lambda: False,
            )
        )
        assert abs(result.answer.load / queue.knee - 1) <= 0.05, (seed, queue.knee, result.answer)
        assert result.answer.confirmed
