"""The open model: exchanges per generator CPU-second, 100 users, constant arrivals, the server on another core.

Messages are due at a fixed rate whatever the replies do. In nightbench that is the default. In k6 it is an interval
of each socket (`setInterval`), which is how a k6 user sends at a rate over a socket that stays open: 100 of them send
20 or 100 messages a second each. k6's executor `constant-arrival-rate` begins iterations at a rate, and a socket
belongs to one iteration, so that it would connect for each message, which is another load (see `accuracy`).

Each message costs everybody a wait for the kernel, so nothing is judged here: the figures inform. Beside them stands
what makes them worth reading: how much of what was due came about, whether nightbench calls its runs valid, and
whether k6 accounts for what the server counted.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from benchmarks.contenders import NIGHTBENCH, Chat, Contender, floor, k6_chat, nightbench_chat
from benchmarks.table import Figure, over_rounds
from benchmarks.turns import Round, cost_figures, rounds_of

USERS = 100
SECONDS = 5.0
RATES = (2_000.0, 10_000.0)
"""Messages per second of all users together."""
ROUNDS = 5

K6 = "k6 (k6/ws)"
CONTENDERS: dict[str, Contender] = {
    # as k6 does it: all connect at once, and nothing that is due is skipped because much is under way
    NIGHTBENCH: nightbench_chat(ramp=0, max_in_flight=10_000),
    K6: k6_chat("exchanges_ws.js"),
    "bare sans-I/O loop": floor("bare_loop"),
}


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Each rate in rounds of its own."""
    return [figure for rate in RATES for figure in _at(rate, say)]


def _at(rate: float, say: Callable[[str], None]) -> list[Figure]:
    load = f"{rate:,.0f}/s"
    chat = Chat(USERS, SECONDS, rate)
    rounds = rounds_of(CONTENDERS, chat, ROUNDS, lambda doing: say(f"{load}, {doing}"))
    return [*cost_figures(load, rounds), *validity_figures(load, rounds)]


def validity_figures(load: str, rounds: list[Round]) -> list[Figure]:
    """Whether what a CPU-second bought was the load that was asked for."""
    reasons = [json.loads(turns[NIGHTBENCH].cost.output)["reasons"] for turns in rounds]
    accounts = [json.loads(turns[K6].cost.output) for turns in rounds]
    counted = [turns[K6].exchanges for turns in rounds]
    return [
        *(
            over_rounds(
                f"{load}: {name}, exchanges of those due", [turns[name].of_due for turns in rounds], "%"
            )
            for name in rounds[0]
        ),
        Figure(
            f"{load}: nightbench, valid of {len(rounds)} rounds",
            sum(not each for each in reasons),
            note="; ".join(sorted({reason for each in reasons for reason in each})),
        ),
        over_rounds(
            f"{load}: {K6}, accounted for as right, of what the server counted",
            [100 * account["ok"] / count for account, count in zip(accounts, counted, strict=True)],
            "%",
            note=f"{sum(account['failed'] for account in accounts)} taken for wrong",
        ),
    ]
