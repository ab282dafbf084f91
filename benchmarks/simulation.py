"""Nights that never were: noise, a change put into it, and what the verdict that ships says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightbench.tiers import BLOCKS, RERUNS
from nightbench.verdict.judging import findings_of
from nightbench.verdict.panel import Panel, Reruns
from nightbench.verdict.policy import Policy
from nightbench.verdict.rules import rules_of
from nightbench.verdict.states import Said, said

Floats = npt.NDArray[np.float64]

SUITES = ("websocket", "database")
_KEPT = 80
"""Nights that a judgement looks back on."""


@dataclass(frozen=True)
class Noise:
    """What a run adds to the true value, on the log scale.

    Attributes:
        sigma: Standard deviation of a run, relative; one for each metric, or of all.
        shared: Share of its variance that all runs of a night have in common.
        correlated: Correlation of the metrics of a suite, in what a run adds and in what a night does.
        spikes: Share of runs in which every metric is `spike` higher.
        spike: Relative height of a spike.
        tails: Degrees of freedom of a t distribution with the same variance; None is normal.
        carried: Autocorrelation of what a night adds.
        drift: Relative rise a night.
        as_one: What a night adds is the same for all metrics of a suite.
    """

    sigma: float | tuple[float, float] = 0.03
    shared: float = 0.0
    correlated: float = 0.5
    spikes: float = 0.0
    spike: float = 0.15
    tails: float | None = None
    carried: float = 0.0
    drift: float = 0.0
    as_one: bool = False


@dataclass(frozen=True)
class Design:
    """What one night is.

    Attributes:
        metrics: Gating metrics of each suite.
        tiers: Tiers of a night, each judged by itself; they share the levels.
        blocks: Runs of a suite a night.
        reruns: Repetitions of a suite with suspects.
    """

    metrics: int = 15
    tiers: int = 1
    blocks: int = BLOCKS
    reruns: int = RERUNS

    @property
    def width(self) -> int:
        """Metrics of one tier."""
        return self.metrics * len(SUITES)


@dataclass(frozen=True)
class Night:
    """What was said of one night of one tier.

    Attributes:
        number: From the first night of the history.
        worse: The layer that found each metric that is a regression, by its number.
        suspects: Whether a suite was repeated.
    """

    number: int
    worse: Mapping[int, int]
    suspects: bool


def nights(
    noise: Noise,
    design: Design,
    *,
    count: int,
    seed: int,
    policy: Policy | None = None,
    change: Mapping[int, float] | None = None,
    since: int = 0,
    first: int | None = None,
) -> Iterator[Night]:
    """Simulate one history of one tier, night by night, with what earlier verdicts flagged left out.

    Args:
        noise: Of the runs.
        design: Of the nights.
        count: How many nights there are.
        seed: Of all chance.
        policy: How they are judged; the default shares its levels among the tiers of the design.
        change: Relative change of metrics, by number, from night `since` on.
        since: The first changed night.
        first: The first night that is judged; the first with a baseline that gates when left out.
    """
    policy = policy or Policy(judgements=design.tiers)
    runs = drawn(noise, design, count, np.random.default_rng(seed))
    for column, effect in (change or {}).items():
        runs[since:, :, column] *= 1 + effect
    history = _History(runs, design, policy)
    for number in range(policy.gating_nights if first is None else first, count):
        yield history.judged(number)


class _History:
    """One tier's nights: values, and what was said of them."""

    def __init__(self, runs: Floats, design: Design, policy: Policy) -> None:
        self._policy = policy
        self._values = np.median(runs[:, : design.blocks], axis=1)
        self._again = np.median(runs[:, design.blocks :], axis=1) if design.reruns else None
        self._design = design
        self._flagged = np.zeros(self._values.shape, dtype=bool)
        self._own = np.zeros(self._values.shape, dtype=bool)
        self._told = np.zeros(self._values.shape, dtype=bool)
        self._group = np.repeat(np.arange(len(SUITES)), design.metrics)
        self._metrics = tuple(f"operation{number}.time.p50" for number in range(design.metrics)) * len(SUITES)
        self._rules = rules_of(self._metrics, self._group, policy)

    def judged(self, number: int) -> Night:
        """Judge a night, repeat the suites with suspects, judge again, and flag what is worse."""
        panel = self._panel(number)
        found = self._found(panel, None)
        suspects = [column for column, told in found.items() if told.state == "suspect"]
        if suspects and self._again is not None:
            found = self._found(panel, self._repetitions(number, self._again, suspects))
        worse = {column: told.layer or 0 for column, told in found.items() if told.state == "regression"}
        self._flag(number, {column: found[column] for column in worse})
        return Night(number, worse, bool(suspects))

    def _found(self, panel: Panel, reruns: Reruns | None) -> dict[int, Said]:
        """What is said of each metric that any layer finds, by its number."""
        findings = findings_of(panel, self._rules, self._policy, reruns)
        layers = findings.layers
        worse = np.flatnonzero(layers.tonight.is_worse | layers.lasting | findings.untold.found)
        return {int(column): said(findings, int(column)) for column in worse}

    def _panel(self, number: int) -> Panel:
        rows = slice(max(0, number - _KEPT + 1), number + 1)
        values = self._values[rows]
        wide = (len(values), len(SUITES))
        return Panel(
            nights=tuple(range(rows.start, rows.stop)),
            groups=tuple((suite, "full") for suite in SUITES),
            metrics=self._metrics,
            named=len(self._metrics),
            group=self._group,
            values=values,
            blocks=np.full(values.shape, self._design.blocks),
            flagged=self._flagged[rows],
            own=self._own[rows],
            told=self._told[rows],
            pinned=np.zeros(values.shape, dtype=bool),
            epoch=np.zeros(values.shape, dtype=np.int64),
            muted=np.zeros(len(self._metrics), dtype=bool),
            measured=np.ones(wide, dtype=bool),
            valid=np.ones(wide, dtype=bool),
            fingerprint=np.full(wide, None, dtype=object),
            later=np.zeros(len(SUITES), dtype=np.int64),
        )

    def _repetitions(self, number: int, again: Floats, suspects: list[int]) -> Reruns:
        made = np.isin(self._group, self._group[suspects])
        return Reruns(
            values=np.where(made, again[number], np.nan),
            blocks=np.full(len(self._group), self._design.reruns),
            made=made,
        )

    def _flag(self, number: int, worse: Mapping[int, Said]) -> None:
        """As `nightbench.verdict.acknowledgement.annotated` does it."""
        for column, told in worse.items():
            self._told[number, column] = self._own[number, column] = True
            self._flagged[number, self._group == self._group[column]] = True
            looked_at = self._policy.sustained_nights if told.layer == 3 else 1
            first = max(number - looked_at + 1, 0)
            first = first if told.since is None else int(told.since)
            self._flagged[first:number, column] = True
            self._own[first:number, column] = True


def drawn(noise: Noise, design: Design, count: int, random: np.random.Generator) -> Floats:
    """Values of all runs around 100, blocks first, then repetitions; shape (nights, runs, metrics)."""
    runs = design.blocks + design.reruns
    sigma = noise.sigma if isinstance(noise.sigma, float) else _spread(*noise.sigma, design.width, random)
    of_run = _correlated(noise, design, (count, runs), random) * np.sqrt(1 - noise.shared)
    of_night = _correlated(noise, design, (count, 1), random)
    if noise.as_one:
        of_night = np.repeat(random.standard_normal((count, 1, len(SUITES))), design.metrics, axis=2)
    of_night = _carried(of_night, noise.carried) * np.sqrt(noise.shared)
    spiked = random.random((count, runs, len(SUITES))) < noise.spikes
    spikes = np.log1p(noise.spike) * np.repeat(spiked, design.metrics, axis=2)
    drift = np.log1p(noise.drift) * np.arange(count)[:, None, None]
    return np.asarray(100 * np.exp(sigma * (of_run + of_night) + spikes + drift))


def _spread(low: float, high: float, width: int, random: np.random.Generator) -> Floats:
    return np.exp(random.uniform(np.log(low), np.log(high), width))


def _correlated(noise: Noise, design: Design, shape: tuple[int, int], random: np.random.Generator) -> Floats:
    """Noise of variance 1, correlated within each suite; shape (…, metrics)."""
    own = random.standard_normal((*shape, design.width))
    common = np.repeat(random.standard_normal((*shape, len(SUITES))), design.metrics, axis=2)
    normal = np.sqrt(1 - noise.correlated) * own + np.sqrt(noise.correlated) * common
    if noise.tails is None:
        return np.asarray(normal)
    heavy = np.sqrt((noise.tails - 2) / random.chisquare(noise.tails, (*shape, design.width)))
    return np.asarray(normal * heavy)


def _carried(nights: Floats, by: float) -> Floats:
    """The same with each night carrying part of the one before, at the same variance."""
    if by:
        for number in range(1, len(nights)):
            nights[number] = by * nights[number - 1] + np.sqrt(1 - by**2) * nights[number]
    return nights
