"""How long the server takes over each reply: seeded distributions with the shapes that backends have. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]
_BLOCK = 4096

LONGEST = 4.0
"""Seconds at which a drawn delay is cut off: below any time-out, so that every reply comes."""


def _log_normal(rng: np.random.Generator, n: int) -> Seconds:
    return rng.lognormal(mean=np.log(0.020), sigma=0.7, size=n)


def _bimodal(rng: np.random.Generator, n: int) -> Seconds:
    """A cache that hits nine times in ten."""
    fast, slow = rng.normal(0.004, 0.0005, n), rng.normal(0.150, 0.010, n)
    return np.where(rng.random(n) < 0.9, fast, slow)


def _heavy_tail(rng: np.random.Generator, n: int) -> Seconds:
    """Pareto with shape 1.3: its mean is finite, its variance is not."""
    return 0.005 * (1 + rng.pareto(1.3, n))


DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, int], Seconds]] = {
    "log-normal": _log_normal,
    "bimodal": _bimodal,
    "heavy-tail": _heavy_tail,
}


def drawn_delays(distribution: str, seed: int) -> Iterator[float]:
    """Delays in seconds without end; the same seed draws the same."""
    rng = np.random.default_rng(seed)
    while True:
        yield from np.clip(DISTRIBUTIONS[distribution](rng, _BLOCK), 0.001, LONGEST).tolist()
