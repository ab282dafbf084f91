"""The verdict: false alerts in nights without a change, changes found, and what judging costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.simulation import Design, Noise, nights
from benchmarks.table import Figure, Goal, over_rounds
from nightbench.verdict import judge

SHIPPED = Design(blocks=3, reruns=3)
SINGLE = Design(blocks=1, reruns=3)
NIGHTLY = Design(blocks=3, reruns=3, tiers=3)

RUN = Noise()
SHARED = Noise(shared=0.5)
SPIKES = Noise(spikes=0.02)
PROMISED = {
    "independent 3 % run noise": RUN,
    "half of the variance shared by a night": SHARED,
    "2 % of runs with a +15 % spike": SPIKES,
}
OTHERS = {
    "a night's share the same for all metrics of a suite": Noise(shared=0.5, as_one=True),
    "metrics of 1 to 15 % noise": Noise(sigma=(0.01, 0.15)),
    "the same, half of it shared by a night": Noise(sigma=(0.01, 0.15), shared=0.5),
    "t3 tails of the runs": Noise(tails=3),
    "t3 tails of the nights too": Noise(tails=3, shared=0.5),
    "shared by a night, which resembles the one before (AR 0.3)": Noise(shared=0.5, carried=0.3),
    "a drift of +5 % in 100 nights": Noise(drift=0.0005),
}

BEFORE = 10
"""Nights without a change before the first with one, which are the baseline."""
_YEAR = 365


@dataclass(frozen=True)
class Change:
    """A change from one night on: so much of each of so many metrics of one suite."""

    effect: float
    metrics: int

    @property
    def columns(self) -> Mapping[int, float]:
        """By number of the metric."""
        return dict.fromkeys(range(2, 2 + 2 * self.metrics, 2), self.effect)

    def __str__(self) -> str:
        return f"+{self.effect:.0%}".replace("%", " %") + f" on {self.metrics}"


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Simulate some 40,000 nights, and judge one against a year."""
    return [*_false_alerts(say), *_power(say), *_cost(say)]


def false_alerts(noise: Noise, design: Design, *, histories: int, length: int = 110, seed: int = 1) -> float:
    """Nights with a regression, of 100 judged ones without any change.

    Every history begins with 10 nights of cold start, so that the first of the 100 after them have few nights in their
    baselines. A night with several tiers is wrong when one of them is.
    """
    wrong = judged = 0
    for history in range(histories):
        tiers = (
            nights(noise, design, count=length, seed=seed * 100_000 + history * 10 + tier)
            for tier in range(design.tiers)
        )
        for night in zip(*tiers, strict=True):
            judged += 1
            wrong += any(each.worse for each in night)
    return 100 * wrong / judged


def power(
    noise: Noise, design: Design, change: Change, *, histories: int, tiers: int = 1, seed: int = 2
) -> tuple[float, float, float]:
    """Share of changes of which a changed metric is a regression by the first, second and third night.

    Args:
        noise: Of the runs.
        design: Of the nights.
        change: What happens after `BEFORE` nights.
        histories: How many changes.
        tiers: In how many tiers of the design it shows; it is found when it is in one of them.
        seed: Of all chance.
    """
    columns = change.columns
    found = np.zeros((histories, 3), dtype=bool)
    for history in range(histories):
        for tier in range(tiers):
            number = seed * 100_000 + history + tier * 10_000_000
            for night in nights(noise, design, count=BEFORE + 3, seed=number, change=columns, since=BEFORE):
                found[history, night.number - BEFORE :] |= not set(night.worse).isdisjoint(columns)
    first, second, third = found.mean(axis=0)
    return float(first), float(second), float(third)


def _false_alerts(say: Callable[[str], None]) -> list[Figure]:
    figures = []
    for name, noise in PROMISED.items():
        say(f"false alerts, {name}")
        rate = false_alerts(noise, SHIPPED, histories=25)
        figures.append(
            Figure(f"false alerts: {name}", rate, "/ 100 nights", Goal("<=", 1.0), note="2,500 nights")
        )
    for name, noise in PROMISED.items():
        say(f"false alerts of three tiers, {name}")
        rate = false_alerts(noise, NIGHTLY, histories=8)
        figures.append(Figure(f"three tiers: {name}", rate, "/ 100 nights", note="90 metrics, 800 nights"))
    for name, noise in PROMISED.items():
        say(f"false alerts of one block, {name}")
        rate = false_alerts(noise, SINGLE, histories=10)
        figures.append(Figure(f"one block: {name}", rate, "/ 100 nights", note="1,000 nights"))
    for name, noise in OTHERS.items():
        say(f"false alerts, {name}")
        rate = false_alerts(noise, SHIPPED, histories=10)
        figures.append(Figure(f"also: {name}", rate, "/ 100 nights", note="1,000 nights"))
    return figures


def _power(say: Callable[[str], None]) -> list[Figure]:
    promised = {
        ("run noise", RUN, Change(0.10, 1)): Goal(">=", 95),
        ("shared by a night", SHARED, Change(0.10, 5)): Goal(">=", 95),
        ("shared by a night", SHARED, Change(0.15, 1)): Goal(">=", 95),
        ("shared by a night", SHARED, Change(0.10, 1)): None,
        ("spikes", SPIKES, Change(0.10, 1)): None,
    }
    figures = []
    for (name, noise, change), goal in promised.items():
        say(f"power, {change}, {name}")
        figures += _found(name, noise, SHIPPED, change, histories=1500, goal=goal)
    for (name, noise, change), goal in promised.items():
        if goal is not None:
            say(f"power, {change}, {name}, other designs")
            figures += _found(f"{name}, in all of three tiers", noise, NIGHTLY, change, tiers=3, goal=goal)[
                -1:
            ]
            figures += _found(f"{name}, in one of three tiers", noise, NIGHTLY, change)[-1:]
            figures += _found(f"{name}, one block", noise, SINGLE, change)[-1:]
    return figures


def _found(
    name: str,
    noise: Noise,
    design: Design,
    change: Change,
    *,
    histories: int = 500,
    tiers: int = 1,
    goal: Goal | None = None,
) -> list[Figure]:
    first, _, third = power(noise, design, change, histories=histories, tiers=tiers)
    note = f"{histories:,} changes, {BEFORE} nights before"
    return [
        Figure(f"{change}, {name}: found the same night", 100 * first, "%", note=note),
        Figure(f"{change}, {name}: found by the third night", 100 * third, "%", goal, note=note),
    ]


def _cost(say: Callable[[str], None]) -> list[Figure]:
    figures = []
    for blocks, goal in ((1, Goal("<=", 3)), (3, Goal("<=", 3))):
        say(f"judging a year, {blocks} blocks")
        frame = year(blocks=blocks)
        tonight = frame["night"].eq(frame["night"].max())
        seconds = []
        for _ in range(3):
            began = time.perf_counter()
            judge(frame[~tonight], frame[tonight])
            seconds.append(time.perf_counter() - began)
        name = f"one night against {_YEAR} nights × 240 series of {blocks} block{'s' if blocks > 1 else ''}"
        figures.append(over_rounds(name, seconds, "s", goal, note=f"{len(frame):,} rows"))
    say("judging simulated nights")
    began = time.process_time()
    for _ in nights(RUN, SHIPPED, count=160, seed=3):
        pass
    each = (time.process_time() - began) / 150
    return [
        *figures,
        Figure("one simulated night of 30 metrics, change points too", 1000 * each, "ms of CPU"),
    ]


def year(*, blocks: int, seed: int = 4) -> pd.DataFrame:
    """A tidy year of two suites in three tiers of 40 metrics each, and one night more."""
    rows = pd.MultiIndex.from_product(
        [
            [f"night-{number:03}" for number in range(_YEAR + 1)],
            ["websocket", "database"],
            ["baseline", "full", "stress"],
            [str(block) for block in range(1, blocks + 1)],
            [f"operation{number}.time.p50" for number in range(40)],
        ],
        names=["night", "suite", "tier", "block", "metric"],
    )
    noise = np.random.default_rng(seed).normal(0, 0.03, len(rows))
    return rows.to_frame(index=False).assign(
        value=20 * np.exp(noise), valid=True, fingerprint='{"cores":"2"}'
    )
