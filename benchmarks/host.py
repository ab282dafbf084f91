"""The host's calibration: quiet nights that are taken for a noisy host, and a slower host that is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.table import Figure, Goal, over_rounds
from nightbench.verdict.frames import panel_of
from nightbench.verdict.layers.host import host_of
from nightbench.verdict.panel import Panel
from nightbench.verdict.policy import Policy
from nightbench.verdict.rules import rules_of

Floats = npt.NDArray[np.float64]

CPU, ECHO, FSYNC = "calibration.cpu_time", "calibration.echo_time", "calibration.fsync_time"
CHECKS = {"websocket": (CPU, ECHO), "database": (CPU, ECHO, FSYNC)}
"""What counts for which suite; none of these times is short enough for the floor of the echo's."""

SLOWER = 1.2
NIGHTS = 60
HISTORIES = 40
_SEED = 3


@dataclass(frozen=True)
class Noise:
    """From night to night, on the log scale.

    Attributes:
        sigma: Standard deviation.
        tails: Degrees of freedom of a t distribution with it; None is normal.
        carried: Autocorrelation.
    """

    sigma: float
    tails: float | None = None
    carried: float = 0.0

    def drawn(self, random: np.random.Generator, count: int, width: int) -> Floats:
        """Values around 1; shape (count, width)."""
        noise = random.standard_normal((count, width))
        for night in range(1, count if self.carried else 0):
            noise[night] = self.carried * noise[night - 1] + np.sqrt(1 - self.carried**2) * noise[night]
        if self.tails:
            noise *= np.sqrt((self.tails - 2) / random.chisquare(self.tails, (count, width)))
        return np.asarray(np.exp(self.sigma * noise))


PROMISED: Mapping[str, tuple[Noise, float]] = {
    "normal noise of 2 %": (Noise(0.02), 0.1),
    "normal noise of 20 %": (Noise(0.2), 0.1),
    "t3 noise of 5 %": (Noise(0.05, tails=3), 0.5),
    "t3 noise of 20 %": (Noise(0.2, tails=3), 0.5),
}
"""With the most false flags that a hundred checks may have."""

OTHERS: Mapping[str, Noise] = {
    "noise of 20 % that resembles the night before (AR 0.5)": Noise(0.2, carried=0.5),
    "a disk that others write to, 70 %": Noise(0.7),
}
SEEN: Mapping[str, tuple[Noise, float | None]] = {
    "normal noise of 2 %": (Noise(0.02), 0.95),
    "t3 noise of 2 %": (Noise(0.02, tails=3), None),
    "normal noise of 5 %": (Noise(0.05), None),
    "normal noise of 10 %": (Noise(0.10), None),
}
"""With the least share that is seen with twenty nights before it."""


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Simulate some 13,000 nights of both suites, and 5,000 on a slower host."""
    say("false flags")
    figures = [_false(name, noise, most) for name, (noise, most) in PROMISED.items()]
    figures += [_false(name, noise, None) for name, noise in OTHERS.items()]
    say("a slower host")
    return [*figures, *(_seen(name, noise, least) for name, (noise, least) in SEEN.items())]


def false_flags(noise: Noise, *, histories: int = HISTORIES, seed: int = _SEED) -> float:
    """Checks of a hundred that say that a quiet host was slower; from the sixth night of a history on."""
    random = np.random.default_rng(seed)
    panel, policy = _panel(NIGHTS), Policy()
    checks = flags = 0
    for _ in range(histories):
        values = noise.drawn(random, NIGHTS, len(panel.metrics))
        for night in range(policy.host_least, NIGHTS):
            flags += len(_slower(panel, values[: night + 1], policy))
            checks += len(panel.metrics) - 1  # the disk's counts once
    return 100 * flags / checks


def seen(noise: Noise, before: int, *, histories: int = 400, seed: int = _SEED) -> float:
    """Share of nights with a CPU slower by a fifth that are seen, with so many nights before them."""
    random = np.random.default_rng(seed)
    panel, policy = _panel(before + 1), Policy()
    found = 0
    for _ in range(histories):
        values = noise.drawn(random, before + 1, len(panel.metrics))
        cpu = panel.metrics.index(CPU)
        values[-1, cpu] *= SLOWER
        found += (int(panel.group[cpu]), CPU) in _slower(panel, values, policy)
    return found / histories


def _slower(panel: Panel, values: Floats, policy: Policy) -> set[tuple[int, str]]:
    """The calibrations that are slower in the last night."""
    comparable = np.ones((len(values), len(panel.groups)), dtype=bool)
    rules = rules_of(panel.metrics, panel.group, policy)
    host = host_of(replace(panel, values=values), comparable, rules, policy)
    return {(off.group, off.metric) for off in host.off if off.effect > 0}


def _panel(nights: int) -> Panel:
    """Both suites with all calibrations, the disk's for the WebSocket as well: it must not count."""
    rows = [
        {"night": night, "suite": suite, "tier": "full", "metric": metric, "value": 1.0, "valid": True}
        for night in range(nights)
        for suite in CHECKS
        for metric in (CPU, ECHO, FSYNC)
    ]
    frame = pd.DataFrame(rows)
    last = frame["night"] == nights - 1
    return panel_of(frame[~last], frame[last])


def _false(name: str, noise: Noise, most: float | None) -> Figure:
    rounds = [false_flags(noise, histories=HISTORIES // 4, seed=_SEED + part) for part in range(4)]
    goal = None if most is None else Goal("<=", most)
    return over_rounds("noisy host without cause, of 100 checks", rounds, "", goal, note=name)


def _seen(name: str, noise: Noise, least: float | None) -> Figure:
    shares = {before: 100 * seen(noise, before) for before in (5, 10, 20)}
    note = f"{name}; with 5 nights {shares[5]:.0f} %, with 10 {shares[10]:.0f} %"
    goal = None if least is None else Goal(">=", 100 * least)
    return Figure("a CPU slower by 20 % is seen, 20 nights before it", shares[20], "%", goal, note=note)
