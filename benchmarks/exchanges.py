"""Chat exchanges per generator CPU-second: 100 users, full accounting, the server on another core.

Every exchange is counted by the server, and every CPU-second by the kernel, from the moment that the server
was first connected to until the contender has ended: who accounts for itself is not asked.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from benchmarks.contenders import Chat, Contender, floor, k6, locust, nightbench, plan_of
from benchmarks.processes import ContenderError, Cost, Server, server
from benchmarks.table import Figure, Goal, over_rounds

USERS = 100
SECONDS = 6.0
RATE = 2000.0
"""Of the open run, messages per second of all users together."""
ROUNDS = 3
ATTEMPTS = 3

NIGHTBENCH = "nightbench"
K6 = "k6 (k6/ws)"
K6_NEWER = "k6 (experimental/websockets)"
LOCUST = "Locust"
BARE = "bare sans-I/O loop"
COROUTINES = "websockets coroutine client"


def _nightbench(server: Server, chat: Chat) -> Cost:
    cost, _ = nightbench(server, plan_of(chat))
    return cost


def _k6(script: str) -> Contender:
    return lambda server, chat: k6(script, server, chat.environment(server.url), seconds=chat.seconds)


CONTENDERS: dict[str, Contender] = {
    NIGHTBENCH: _nightbench,
    K6: _k6("exchanges_ws.js"),
    K6_NEWER: _k6("exchanges_websockets.js"),
    LOCUST: locust,
    BARE: floor("bare_loop"),
    COROUTINES: floor("coroutine_client"),
}
GOALS = {K6: Goal(">=", 2.0), LOCUST: Goal(">=", 2.5), BARE: Goal(">=", 0.8)}
"""How many times the exchanges of a peer nightbench makes in the closed loop, where nobody waits. In the open
run each message costs everybody a wait for the kernel, and the bare loop itself is no 2 × k6: it informs."""


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Closed loop without thinking, then an open run at a fixed rate, which the coroutines do not know."""
    closed = Chat(USERS, SECONDS)
    steady = Chat(USERS, SECONDS, RATE)
    paced = [name for name in CONTENDERS if name != COROUTINES]
    return [
        *_figures("closed loop", _rounds(closed, list(CONTENDERS), say), GOALS),
        *_figures(f"{RATE:,.0f}/s", _rounds(steady, paced, say), {}),
    ]


def _rounds(chat: Chat, names: list[str], say: Callable[[str], None]) -> list[dict[str, float]]:
    """Exchanges per CPU-second of each contender, round by round; a round is over before the next begins."""
    rounds = []
    for turn in range(ROUNDS):
        rates = {}
        for name in names:
            say(f"round {turn + 1} of {ROUNDS}: {name}")
            rates[name] = _exchanges_per_cpu_second(CONTENDERS[name], chat)
        rounds.append(rates)
    return rounds


def _exchanges_per_cpu_second(contender: Contender, chat: Chat) -> float:
    """Of one run; a contender that a busy machine did not let come to its work is run again.

    Raises:
        ContenderError: when that did not help.
    """
    for _ in range(ATTEMPTS):
        with server("echo") as subject:
            cost = contender(subject, chat)
        exchanges: int = subject.ended["messages"]
        if exchanges >= _fewest(chat):
            return exchanges / cost.load_seconds
    msg = f"only {exchanges:,} exchanges in {chat.seconds:g} s: is the machine busy with something else?"
    raise ContenderError(msg)


def _fewest(chat: Chat) -> float:
    """The fewest exchanges from which a cost is read: half of what is due, or twenty of each user."""
    return 20 * chat.users if chat.rate is None else chat.rate * chat.seconds / 2


def _figures(load: str, rounds: list[dict[str, float]], goals: dict[str, Goal]) -> list[Figure]:
    absolute = [
        over_rounds(f"{load}: {name}", [rates[name] for rates in rounds], "per CPU-second")
        for name in rounds[0]
    ]
    ratios = [
        over_rounds(
            f"{load}: nightbench ÷ {name}",
            [rates[NIGHTBENCH] / rates[name] for rates in rounds],
            "×",
            goals.get(name),
        )
        for name in rounds[0]
        if name != NIGHTBENCH
    ]
    return [*absolute, *ratios, _noise(load, rounds)]


def _noise(load: str, rounds: list[dict[str, float]]) -> Figure:
    """How much the same contender differed from round to round: what a ratio can be trusted to."""
    worst = max(
        max(rates[name] for rates in rounds) / statistics.median([rates[name] for rates in rounds]) - 1
        for name in rounds[0]
    )
    return Figure(f"{load}: noise, the best round above the median", 100 * worst, "%")
