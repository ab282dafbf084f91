"""Chat exchanges per generator CPU-second: 100 users in a closed loop, full accounting, the server on another core."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.contenders import NIGHTBENCH, Chat, Contender, floor, k6_chat, locust, nightbench_chat
from benchmarks.table import Figure, Goal
from benchmarks.turns import cost_figures, rounds_of

CHAT = Chat(users=100, seconds=6)
ROUNDS = 3

K6 = "k6 (k6/ws)"
LOCUST = "Locust"
BARE = "bare sans-I/O loop"

CONTENDERS: dict[str, Contender] = {
    NIGHTBENCH: nightbench_chat(),
    K6: k6_chat("exchanges_ws.js"),
    "k6 (experimental/websockets)": k6_chat("exchanges_websockets.js"),
    LOCUST: locust,
    BARE: floor("bare_loop"),
    "websockets coroutine client": floor("coroutine_client"),
}
GOALS = {K6: Goal(">=", 2.0), LOCUST: Goal(">=", 2.5), BARE: Goal(">=", 0.8)}
"""How many times the exchanges of a peer nightbench makes where nobody waits."""


def measure(say: Callable[[str], None]) -> list[Figure]:
    """A closed loop without thinking."""
    return cost_figures("closed loop", rounds_of(CONTENDERS, CHAT, ROUNDS, say), GOALS)
