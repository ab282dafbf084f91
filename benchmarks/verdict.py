"""The verdict: false alerts in nights without a change, changes found, and what judging costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.simulation import Design, Noise, nights
from benchmarks.table import Figure, Goal, over_rounds
from nightbench.plan import NIGHTLY_TIERS
from nightbench.tiers import BLOCKS, RERUNS
from nightbench.verdict import judge

NIGHTLY = Design(blocks=BLOCKS, reruns=RERUNS, tiers=len(NIGHTLY_TIERS))
"""What ships: the promises are about it."""
TIER = Design(blocks=BLOCKS, reruns=RERUNS)
THREE = Design(blocks=3, reruns=3, tiers=len(NIGHTLY_TIERS))
SINGLE = Design(blocks=1, reruns=3)

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
    """Simulate some 70,000 judgements, and judge one night against a year."""
    return [*_false_alerts(say), *_power(say), *_cost(say)]


def false_alerts(
    noise: Noise, design: Design, *, histories: int, length: int = 110, seed: int = 1
) -> tuple[float, float]:
    """Nights with a regression, of 100 judged ones without any change, and half of a 95 % interval of that.

    Every history begins with 10 nights of cold start, so that the first of the 100 after them have few nights in their
    baselines. A night with several tiers is wrong when one of them is. A wrong alert may last for nights, so that
    it is histories that the interval counts.
    """
    rates = []
    for history in range(histories):
        tiers = (
            nights(noise, design, count=length, seed=seed * 100_000 + history * 10 + tier)
            for tier in range(design.tiers)
        )
        wrong = [any(each.worse for each in night) for night in zip(*tiers, strict=True)]
        rates.append(100 * np.mean(wrong))
    error = np.std(rates, ddof=1) / np.sqrt(histories) if histories > 1 else np.nan
    return float(np.mean(rates)), float(1.96 * error)


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
        figures.append(_wrong(f"false alerts: {name}", noise, NIGHTLY, histories=25, goal=Goal("<=", 1.0)))
    for name, noise in PROMISED.items():
        say(f"false alerts of other designs, {name}")
        figures.append(_wrong(f"one tier: {name}", noise, TIER))
        figures.append(_wrong(f"three tiers of three blocks: {name}", noise, THREE, histories=5))
        figures.append(_wrong(f"one tier of one block: {name}", noise, SINGLE))
    for name, noise in OTHERS.items():
        say(f"false alerts, {name}")
        figures.append(_wrong(f"also: one tier, {name}", noise, TIER))
    return figures


def _wrong(
    what: str, noise: Noise, design: Design, *, histories: int = 10, goal: Goal | None = None
) -> Figure:
    rate, half = false_alerts(noise, design, histories=histories)
    note = f"{histories * 100:,} nights of {design.tiers * design.width} metrics, ± {half:.2f}"
    return Figure(what, rate, "/ 100 nights", goal, note=note)


def _power(say: Callable[[str], None]) -> list[Figure]:
    promised = {
        ("run noise", RUN, Change(0.10, 1)): (Goal(">=", 95), 1000),
        ("shared by a night", SHARED, Change(0.10, 5)): (Goal(">=", 95), 2500),  # the closest to its bound
        ("shared by a night", SHARED, Change(0.15, 1)): (Goal(">=", 95), 1000),
        ("shared by a night", SHARED, Change(0.10, 1)): (None, 500),
        ("spikes", SPIKES, Change(0.10, 1)): (None, 500),
    }
    figures = []
    for (name, noise, change), (goal, histories) in promised.items():
        say(f"power, {change}, {name}")
        figures += _found(f"{name}, in one of three tiers", noise, NIGHTLY, change, histories, goal=goal)
    for (name, noise, change), (goal, _) in promised.items():
        if goal is not None:
            say(f"power, {change}, {name}, other designs")
            figures += _found(f"{name}, in all of three tiers", noise, NIGHTLY, change, 100, tiers=3)[-1:]
            figures += _found(f"{name}, a night of one tier", noise, TIER, change, 500)[-1:]
            figures += _found(f"{name}, one of three tiers of three blocks", noise, THREE, change)[-1:]
            figures += _found(f"{name}, one tier of one block", noise, SINGLE, change)[-1:]
    return figures


def _found(
    name: str,
    noise: Noise,
    design: Design,
    change: Change,
    histories: int = 300,
    *,
    tiers: int = 1,
    goal: Goal | None = None,
) -> list[Figure]:
    first, _, third = power(noise, design, change, histories=histories, tiers=tiers)
    note = f"{histories:,} changes, {BEFORE} nights before"
    low, high = _interval(third, histories)
    return [
        Figure(f"{change}, {name}: found the same night", 100 * first, "%", note=note),
        Figure(
            f"{change}, {name}: found by the third night",
            100 * third,
            "%",
            goal,
            note=f"{note}, {low:.1f} to {high:.1f}",
        ),
    ]


def _interval(share: float, count: int) -> tuple[float, float]:
    """Of a share, 95 %, in percent (E. Wilson, Probable inference, 1927)."""
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z * np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2)) / (1 + _Z**2 / count)
    return 100 * (middle - half), 100 * (middle + half)


_Z = 1.96


def _cost(say: Callable[[str], None]) -> list[Figure]:
    figures = []
    for blocks, goal in ((1, Goal("<=", 3)), (BLOCKS, Goal("<=", 3))):
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
    for _ in nights(RUN, NIGHTLY, count=160, seed=3):
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
