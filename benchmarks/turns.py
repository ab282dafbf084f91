"""Contenders in turn, round by round, and their exchanges per generator CPU-second.

Every exchange is counted by the server, and every CPU-second by the kernel, from the moment that the server
was first connected to until the contender has ended: who accounts for itself is not asked.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from benchmarks.contenders import NIGHTBENCH, Chat, Contender
from benchmarks.processes import ContenderError, Cost, server
from benchmarks.table import Figure, Goal, over_rounds

_ATTEMPTS = 3

_Contender = TypeVar("_Contender")
_Seen = TypeVar("_Seen")


@dataclass(frozen=True)
class Turn:
    """One run of one contender.

    Attributes:
        exchanges: What the server answered.
    """

    chat: Chat
    cost: Cost
    exchanges: int

    @property
    def per_cpu_second(self) -> float:
        """Exchanges that a second of CPU bought."""
        return self.exchanges / self.cost.load_seconds

    @property
    def of_due(self) -> float:
        """Exchanges in percent of those that the rate asks for."""
        assert self.chat.rate is not None
        return 100 * self.exchanges / (self.chat.rate * self.chat.seconds)


Round = dict[str, Turn]
"""A turn of each contender by its name."""


class Priced(Protocol):
    """What has a price."""

    @property
    def per_cpu_second(self) -> float:
        """What a second of CPU bought."""


def rounds_of(
    contenders: Mapping[str, Contender], chat: Chat, rounds: int, say: Callable[[str], None]
) -> list[Round]:
    """So many rounds of exchanges, each over before the next begins."""
    return in_turn(contenders, rounds, say, lambda contender: _turn(contender, chat))


def in_turn(
    contenders: Mapping[str, _Contender],
    rounds: int,
    say: Callable[[str], None],
    take: Callable[[_Contender], _Seen],
) -> list[dict[str, _Seen]]:
    """What came of each turn of each contender, round by round."""
    done = []
    for number in range(1, rounds + 1):
        turns = {}
        for name, contender in contenders.items():
            say(f"round {number} of {rounds}: {name}")
            turns[name] = take(contender)
        done.append(turns)
    return done


def _turn(contender: Contender, chat: Chat) -> Turn:
    """One turn; a contender that a busy machine did not let come to its work is run again.

    Raises:
        ContenderError: when that did not help.
    """
    for _ in range(_ATTEMPTS):
        with server("echo") as subject:
            cost = contender(subject, chat)
        turn = Turn(chat, cost, subject.ended["messages"])
        if turn.exchanges >= _fewest(chat):
            return turn
    msg = f"only {turn.exchanges:,} exchanges in {chat.seconds:g} s: is the machine busy with something else?"
    raise ContenderError(msg)


def _fewest(chat: Chat) -> float:
    """The fewest exchanges from which a cost is read: half of what is due, or twenty of each user."""
    return 20 * chat.users if chat.rate is None else chat.rate * chat.seconds / 2


def cost_figures(
    load: str, rounds: Sequence[Mapping[str, Priced]], goals: Mapping[str, Goal] | None = None
) -> list[Figure]:
    """What each contender makes of a CPU-second, how many times that is nightbench's, and the noise.

    Args:
        load: What was asked of them, for people.
        rounds: At least one, all of the same contenders, nightbench among them.
        goals: Of nightbench over a contender, by its name.
    """
    peers = [name for name in rounds[0] if name != NIGHTBENCH]
    return [
        *(
            over_rounds(f"{load}: {name}", _costs(rounds, name), "per CPU-second")
            for name in (NIGHTBENCH, *peers)
        ),
        *(
            over_rounds(
                f"{load}: nightbench ÷ {name}",
                [turns[NIGHTBENCH].per_cpu_second / turns[name].per_cpu_second for turns in rounds],
                "×",
                (goals or {}).get(name),
            )
            for name in peers
        ),
        _noise(load, rounds),
    ]


def _costs(rounds: Sequence[Mapping[str, Priced]], name: str) -> list[float]:
    return [turns[name].per_cpu_second for turns in rounds]


def _noise(load: str, rounds: Sequence[Mapping[str, Priced]]) -> Figure:
    """How much the same contender differed from round to round: what a ratio can be trusted to."""
    worst = max(
        max(costs) / statistics.median(costs) - 1 for costs in (_costs(rounds, name) for name in rounds[0])
    )
    return Figure(f"{load}: noise, the best round above the median", 100 * worst, "%")
