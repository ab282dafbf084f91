"""Change points: steps found, false ones and delay on drawn series, and what a call costs.

Series of 99 values with 2.2 % noise, fed as a whole with one injected step, and a night at a time without and with one.
The heavy-tailed noise is what the goals are for; the others tell how it behaves where its assumptions fail.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.table import Figure, Goal
from nightbench.verdict import change_points

NIGHTS = 99
NOISE = 0.022
CLOSE = 5
"""A point so many nights from the step has found it."""

SERIES = 150
"""Of each noise."""

_SEED = 20

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator], Floats]
Detect = Callable[[Floats], list[int]]


def _scaled(raw: Floats, deviation: float) -> Floats:
    return np.asarray(raw * (NOISE / deviation))


def _remembering(phi: float) -> Draw:
    def draw(dice: np.random.Generator) -> Floats:
        noise = dice.standard_normal(NIGHTS)
        for night in range(1, NIGHTS):
            noise[night] = phi * noise[night - 1] + (1 - phi**2) ** 0.5 * noise[night]
        return NOISE * noise

    return draw


def _skewed(dice: np.random.Generator) -> Floats:
    raw = np.exp(0.8 * dice.standard_normal(NIGHTS))
    return _scaled(raw - np.median(raw), float(raw.std()))


def _spiky(dice: np.random.Generator) -> Floats:
    noise = 0.8 * NOISE * dice.standard_normal(NIGHTS)
    return noise + (dice.random(NIGHTS) < 0.025) * dice.uniform(0.1, 0.4, NIGHTS)


def _spiky_in_pairs(dice: np.random.Generator) -> Floats:
    first = dice.random(NIGHTS) < 0.012
    noise = 0.8 * NOISE * dice.standard_normal(NIGHTS)
    return noise + (first | np.roll(first, 1)) * dice.uniform(0.1, 0.4)


def _two_moods(dice: np.random.Generator) -> Floats:
    return 0.5 * NOISE * dice.standard_normal(NIGHTS) + 0.05 * (dice.random(NIGHTS) < 0.2)


def _rounded(dice: np.random.Generator) -> Floats:
    return np.round(NOISE * dice.standard_normal(NIGHTS), 2)


def _growing(dice: np.random.Generator) -> Floats:
    return NOISE * np.linspace(0.6, 1.5, NIGHTS) * dice.standard_normal(NIGHTS)


def _drifting(dice: np.random.Generator) -> Floats:
    return NOISE * dice.standard_normal(NIGHTS) + np.linspace(0, dice.choice([-0.1, 0.1]), NIGHTS)


HEAVY: Mapping[str, Draw] = {
    "Student's t, 3 degrees of freedom": lambda dice: _scaled(dice.standard_t(3, NIGHTS), 3**0.5),
    "Laplace": lambda dice: _scaled(dice.laplace(size=NIGHTS), 2**0.5),
    "log-normal, long tail upwards": _skewed,
}
OTHERS: Mapping[str, Draw] = {
    "normal": lambda dice: NOISE * dice.standard_normal(NIGHTS),
    "autocorrelated, 0.3": _remembering(0.3),
    "autocorrelated, 0.6": _remembering(0.6),
    "2.5 % spikes of 10–40 %": _spiky,
    "the same in pairs": _spiky_in_pairs,
    "two moods, 5 % apart": _two_moods,
    "rounded to 1 %": _rounded,
    "growing to 2.5 times": _growing,
    "drift of 10 % in all": _drifting,
}


@dataclass(frozen=True)
class Score:
    """What was found of steps.

    Attributes:
        found, missed: Steps with a point close to them, and without.
        extra: Points beyond those.
    """

    found: int = 0
    missed: int = 0
    extra: int = 0

    @property
    def f1(self) -> float:
        """``2·found / (2·found + missed + extra)``."""
        return 2 * self.found / (2 * self.found + self.missed + self.extra)


def detect(series: Floats) -> list[int]:
    """Indices of the change points."""
    return [point.index for point in change_points(series)]


def quiet(draw: Draw, count: int, seed: int) -> list[Floats]:
    """`count` series without a step, shape ``(NIGHTS,)`` each."""
    dice = np.random.default_rng(seed)
    return [100 * np.exp(draw(dice)) for _ in range(count)]


def stepped(series: Iterable[Floats], size: float, seed: int) -> list[tuple[Floats, int]]:
    """Each series with one step of `size`, up or down, anywhere with 3 values on each side; and where it is."""
    dice = np.random.default_rng(seed)
    cases = []
    for values in series:
        at = int(dice.integers(3, len(values) - 2))
        factor = np.where(np.arange(len(values)) < at, 1.0, (1 + size) ** dice.choice([-1, 1]))
        cases.append((values * factor, at))
    return cases


def score(cases: Iterable[tuple[Floats, int]], find: Detect = detect) -> Score:
    """What `find` says of whole series with one step each."""
    found = missed = extra = 0
    for series, at in cases:
        points = find(series)
        hit = any(abs(point - at) <= CLOSE for point in points)
        found, missed, extra = found + hit, missed + (not hit), extra + len(points) - hit
    return Score(found, missed, extra)


def false_per_100(series: Iterable[Floats], find: Detect = detect) -> float:
    """New points per 100 nights of series without a step that are fed a night at a time."""
    nights = false = 0
    for values in series:
        seen: list[int] = []
        for known in range(3, len(values) + 1):
            nights += 1
            new = [p for p in find(values[:known]) if all(abs(p - old) > CLOSE for old in seen)]
            seen += new
            false += len(new)
    return 100 * false / nights


def delays(cases: Iterable[tuple[Floats, int]], find: Detect = detect) -> list[float]:
    """How many nights after the step's own it is first reported: 2 with its third night; infinite when never."""
    return [
        next(
            (
                float(known - 1 - at)
                for known in range(at + 1, len(series) + 1)
                if any(abs(point - at) <= CLOSE for point in find(series[:known]))
            ),
            float("inf"),
        )
        for series, at in cases
    ]


def measure(say: Callable[[str], None]) -> list[Figure]:
    """All noises one after the other, then the cost of a call."""
    figures = []
    for name, draw in {**HEAVY, **OTHERS}.items():
        say(name)
        figures += _of_noise(name, quiet(draw, SERIES, _SEED), goals=name in HEAVY)
    say("cost")
    return [*figures, *_cost()]


def _of_noise(name: str, series: list[Floats], *, goals: bool) -> list[Figure]:
    small, large = stepped(series, 0.1, _SEED), stepped(series, 0.2, _SEED)
    return [
        Figure("F1 of a 10 % step", score(small).f1, "", Goal(">=", 0.94) if goals else None, note=name),
        Figure("F1 of a 20 % step", score(large).f1, "", Goal(">=", 0.98) if goals else None, note=name),
        Figure(
            "false per 100 nights", false_per_100(series), "", Goal("<=", 0.12) if goals else None, note=name
        ),
        Figure(
            "median delay of a 10 % step",
            statistics.median(delays(small)),
            "nights",
            Goal("<=", 2) if goals else None,
            note=name,
        ),
    ]


def _cost() -> list[Figure]:
    series = quiet(OTHERS["normal"], 500, _SEED)
    still = [values[:80] for values in series]
    moving = [values[:80] for values, _ in stepped(still, 0.1, _SEED)]
    return [
        Figure("a quiet series of 80", _cpu_ms(still), "ms", Goal("<=", 0.5)),
        Figure("one with a step", _cpu_ms(moving), "ms", Goal("<=", 4)),
        Figure("one of 10,000 with 200 steps", _cpu_ms([_long(10_000)]), "ms", Goal("<=", 1_000)),
    ]


def _long(nights: int) -> Floats:
    """Two levels that take turns every 50 nights."""
    noise = NOISE * np.random.default_rng(_SEED).standard_normal(nights)
    return np.asarray(100 * np.exp(noise + np.log(1.1) * (np.arange(nights) // 50 % 2)))


def _cpu_ms(series: list[Floats]) -> float:
    """CPU milliseconds a call."""
    began = time.process_time()
    for values in series:
        change_points(values)
    return 1000 * (time.process_time() - began) / len(series)
