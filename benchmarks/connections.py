"""Connections per generator CPU-second: users made and connected, as a load test does it.

Judged is the whole process, since a load generator has to make its users before they can connect. Beside it
stand the handshakes alone, from the server's first connection on, also of k6 users that stay and connect again
and again: there k6 is at its best, and nightbench, whose users connect once, has nothing like it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.contenders import NIGHTBENCH, k6, nightbench
from benchmarks.processes import Cost, server
from benchmarks.table import Figure, Goal, over_rounds

CONNECTIONS = 5000
PER_SECOND = 1000
"""How fast nightbench is told to connect; k6 does it as fast as it can."""
STAYING_USERS = 100
ROUNDS = 3

K6 = "k6 (k6/ws)"
K6_STAYING = f"k6 (k6/ws), {STAYING_USERS} users that stay"


@dataclass(frozen=True)
class _Rates:
    """Connections per CPU-second: of the whole process, and with its start left out."""

    whole: float
    handshakes: float


def measure(say: Callable[[str], None]) -> list[Figure]:
    """All in turn, round by round."""
    contenders: dict[str, Callable[[], _Rates]] = {
        NIGHTBENCH: _nightbench,
        K6: lambda: _k6(CONNECTIONS),
        K6_STAYING: lambda: _k6(STAYING_USERS),
    }
    rounds: list[dict[str, _Rates]] = []
    for turn in range(ROUNDS):
        say(f"round {turn + 1} of {ROUNDS}")
        rounds.append({name: contender() for name, contender in contenders.items()})
    return [
        *(
            over_rounds(f"whole process: {name}", [each[name].whole for each in rounds], "per CPU-second")
            for name in (NIGHTBENCH, K6)
        ),
        over_rounds(
            f"whole process: nightbench ÷ {K6}",
            [each[NIGHTBENCH].whole / each[K6].whole for each in rounds],
            "×",
            Goal(">=", 1.5),
        ),
        *(
            over_rounds(f"handshakes: {name}", [each[name].handshakes for each in rounds], "per CPU-second")
            for name in contenders
        ),
        *(
            over_rounds(
                f"handshakes: nightbench ÷ {name}",
                [each[NIGHTBENCH].handshakes / each[name].handshakes for each in rounds],
                "×",
            )
            for name in (K6, K6_STAYING)
        ),
    ]


def _nightbench() -> _Rates:
    plan = {
        "users": CONNECTIONS,
        "duration": 1,
        "rate": 1,
        "ramp": CONNECTIONS / PER_SECOND,
        "warmup": 0,
    }
    with server("echo") as subject:
        cost, _ = nightbench(subject, plan)
    return _rates(subject.ended["connections"], cost)


def _k6(users: int) -> _Rates:
    with server("echo") as subject:
        environment = {"URL": subject.url, "USERS": str(users), "CONNECTIONS": str(CONNECTIONS)}
        cost = k6("connections.js", subject, environment, seconds=CONNECTIONS / PER_SECOND)
    return _rates(subject.ended["connections"], cost)


def _rates(connections: int, cost: Cost) -> _Rates:
    return _Rates(connections / cost.total_seconds, connections / cost.load_seconds)
