"""What a night's judgement against earlier nights says, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from nightbench.verdict.series.changepoints import ChangePoint

LineState = Literal[
    "steady",  # compared, and neither worse nor better beyond doubt and floor
    "improved",
    "suspect",  # worse than the baseline, not repeated (yet)
    "noisy",  # was a suspect, and the repetitions say otherwise; or host or subject were not themselves
    "regression",
    "muted",  # would be a regression, but somebody muted it
    "provisional",  # 5 to 9 nights: compared for reading alone
    "no baseline",  # fewer than 5 nights
    "missing",  # no value tonight, though the baseline has one: never a silent pass
    "too noisy",  # its own noise from night to night is too high to gate
    "informs",  # no gating metric
]


@dataclass(frozen=True)
class Line:
    """One metric of tonight against the baseline.

    Changes are relative (0.1: 10 % more) and signed as the value moved; `higher_is_worse` says what is bad.

    Attributes:
        suite, tier, metric: What it is about.
        state: See `LineState`.
        layer: Which layer found the regression: 2 tonight, 3 sustained, 4 history; None where there is none.
        value: Tonight's, the median of its blocks; None when missing.
        baseline: The baseline's centre, in the metric's unit; None without one.
        nights: How many nights the baseline has for this metric.
        effect: Relative change; None without a baseline or a value.
        low, high: 95 % interval of `effect`.
        p: One-sided, of being worse (or better, when `effect` is to the good). Of a regression of layer 3 or 4 it
            is that layer's, of the median of nights or of the nights since the change; all else is of tonight.
        p_adjusted: The same over all gating metrics, after Holm (layer 4: Bonferroni); None where it does not gate.
        alpha: What `p_adjusted` is held against: the layer's share of a night's chance of a wrong suspect; None
            where there is none.
        noise: Relative, moderated standard deviation from night to night; None with fewer than two nights.
        detectable: The smallest worsening that would have been a suspect with 80 % probability, relative and signed
            as the value would have moved.
        floor: Smallest relative change that matters.
        higher_is_worse: Direction.
        gates: Whether it can be a regression tonight.
        why: One sentence where the state needs one, else empty.
        since: Of a regression that layer 4 found: the first night of the new level; else None.
    """

    suite: str
    tier: str
    metric: str
    state: LineState
    higher_is_worse: bool
    gates: bool
    floor: float
    layer: int | None = None
    value: float | None = None
    baseline: float | None = None
    nights: int = 0
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    alpha: float | None = None
    noise: float | None = None
    detectable: float | None = None
    why: str = ""
    since: str | None = None


@dataclass(frozen=True)
class LeftOut:
    """Earlier nights of a suite and tier that were not compared, and why: ``another plan``, ``flagged`` …"""

    suite: str
    tier: str
    nights: int
    reason: str


@dataclass(frozen=True)
class Change:
    """A change point in the history of one metric.

    Attributes:
        suite, tier, metric: What it is about.
        night: The first night of the new level.
        age: How many nights of the suite and tier ago that was; 0 is tonight.
        point: Effect and p of it; its index counts the nights that were looked at.
        group: Changes of one number began together, within `Policy.change_together` nights.
    """

    suite: str
    tier: str
    metric: str
    night: str
    age: int
    point: ChangePoint
    group: int


@dataclass(frozen=True)
class Verdict:
    """Tonight against earlier nights: layers 0 and 2 to 4; targets are layer 1, see `targets`.

    Attributes:
        lines: One for each metric of tonight or of the baseline, in the order of tonight.
        left_out: Which earlier nights were not compared.
        changes: Change points over the epoch, oldest first.
        notes: What else has to be known, a sentence each: ``noisy host``, ``no baseline yet`` …
    """

    lines: tuple[Line, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def regressions(self) -> tuple[Line, ...]:
        """What is worse beyond doubt."""
        return self._with("regression")

    @property
    def suspects(self) -> tuple[Line, ...]:
        """What looked worse and was not repeated."""
        return self._with("suspect")

    @property
    def improvements(self) -> tuple[Line, ...]:
        """What is better beyond doubt."""
        return self._with("improved")

    def to_frame(self) -> pd.DataFrame:
        """One row a line, the attributes of `Line` as columns."""
        return pd.DataFrame([asdict(line) for line in self.lines], columns=list(Line.__dataclass_fields__))

    def _with(self, state: LineState) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.state == state)
