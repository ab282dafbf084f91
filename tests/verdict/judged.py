"""Tidy frames of nights, and what is said of one metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nightbench.verdict import Line, Policy, Verdict, judge

METRIC = "message.response_time.p95"
OTHERS = tuple(f"message.other{number}.p50" for number in range(9))


def noisy(count: int, *, level: float = 20.0, noise: float = 0.02, seed: int = 0) -> np.ndarray:
    """`count` values around a level, the same for the same seed."""
    return level * np.exp(np.random.default_rng(seed).normal(0, noise, count))


def rows(night: int, metric: str, *values: Any, suite: str = "websocket", tier: str = "full", **columns: Any):
    """One night's blocks of one metric."""
    return [
        {
            "night": f"night-{night:03}",
            "suite": suite,
            "tier": tier,
            "metric": metric,
            "value": value,
            "valid": True,
            **columns,
        }
        for value in values
    ]


def series(metric: str, values: Sequence[Any], *, first: int = 0, **columns: Any) -> pd.DataFrame:
    """A metric night after night, one block each."""
    found = [
        row for night, value in enumerate(values, first) for row in rows(night, metric, value, **columns)
    ]
    names = dict.fromkeys([*rows(0, "", 0)[0], *columns])
    return pd.DataFrame(found, columns=list(names))


def history(nights: int, metric: str = METRIC, *, noise: float = 0.02, **columns: Any) -> pd.DataFrame:
    """So many quiet nights of one metric and of nine others."""
    frames = [
        series(name, noisy(nights, noise=noise, seed=seed), **columns)
        for seed, name in enumerate((metric, *OTHERS))
    ]
    return pd.concat(frames, ignore_index=True)


def tonight(night: int, value: Any, metric: str = METRIC, **columns: Any) -> pd.DataFrame:
    """The metric at a value, and the others as they always are."""
    found = [
        row
        for name, each in ((metric, value), *((other, 20.0) for other in OTHERS))
        for row in rows(night, name, each, **columns)
    ]
    return pd.DataFrame(found)


def line(verdict: Verdict, metric: str = METRIC, suite: str = "websocket") -> Line:
    """What is said of one metric."""
    (found,) = [each for each in verdict.lines if (each.metric, each.suite) == (metric, suite)]
    return found


def judged(
    nights: int, value: Any, *, again: Any = None, policy: Policy | None = None, **columns: Any
) -> Line:
    """What is said of a value after so many quiet nights, with repetitions at `again` if given."""
    now = tonight(nights, value, **columns)
    reruns = None if again is None else tonight(nights, again, **columns)
    return line(judge(history(nights, **columns), now, policy=policy, reruns=reruns))
