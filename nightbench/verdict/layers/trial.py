"""A level held against a baseline, for all metrics at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nightbench.verdict.layers.baseline import Baseline, baseline_of
from nightbench.verdict.layers.holm import holm
from nightbench.verdict.layers.moderation import Noise, moderated, tails_of
from nightbench.verdict.layers.shift import Shift, shift
from nightbench.verdict.layers.validity import Validity
from nightbench.verdict.panel import Bools, Floats, Panel, median_variance
from nightbench.verdict.policy import Policy
from nightbench.verdict.rules import Rules


@dataclass(frozen=True)
class Level:
    """A level that is held against a baseline; each of shape (m,).

    Attributes:
        baseline: Of each metric.
        noise: From night to night.
        shift: From the baseline to the level.
        too_noisy: A tail percentile whose noise is too high to gate.
        tested: It gates, there is a level, and enough nights.
        p_worse, p_better: One-sided.
        worse, better: After Holm; NaN where not tested.
        factor: By which Holm raised `p_worse`; NaN where not tested.
        is_worse, is_better: Beyond doubt and floor.
    """

    baseline: Baseline
    noise: Noise
    shift: Shift
    too_noisy: Bools
    tested: Bools
    p_worse: Floats
    p_better: Floats
    worse: Floats
    better: Floats
    factor: Floats
    is_worse: Bools
    is_better: Bools


@dataclass(frozen=True)
class Trial:
    """What every level is held against.

    Attributes:
        logs: Of all values; shape (n, m).
    """

    logs: Floats
    panel: Panel
    rules: Rules
    validity: Validity
    policy: Policy

    def level(
        self,
        level: Floats,
        block_variance: Floats,
        eligible: Bools,
        *,
        alpha: float,
        share: Floats | float = 1.0,
    ) -> Level:
        """Hold a level against the eligible nights.

        Args:
            level: On the log scale; shape (m,).
            block_variance: Of the median of the blocks of the level's nights, in that of a block; shape (m,).
            eligible: The nights that may be compared with; shape (n, m).
            alpha: Of this judgement, over all metrics.
            share: Variance of the level in that of one of its nights.
        """
        rules, policy = self.rules, self.policy
        chosen = self.validity.baseline(eligible, policy.baseline_nights)
        baseline = baseline_of(
            self.logs, self.panel.blocks, chosen, winsor=policy.winsor, least=rules.least_noise
        )
        teaches = rules.gates & (baseline.nights >= policy.least_nights)
        noise = moderated(
            baseline.variance,
            baseline.nights,
            rules.family,
            teaches,
            most=policy.prior_weight,
            least=rules.least_noise,
        )
        residuals = (self.logs - baseline.centre) / noise.sigma
        tails = tails_of(residuals, chosen & teaches & np.isfinite(residuals), rules.family)
        # the median of nights needs most of them to be far out: its tails are as much lighter
        noise = replace(noise, freedom=np.minimum(noise.freedom, tails / np.minimum(share, 1.0)))
        variance = share * beside(block_variance, baseline.block_variance)
        moved = shift(level, baseline, noise, variance)
        too_noisy = rules.gates & rules.tail & (noise.sigma > policy.most_noise)
        tested = rules.gates & ~too_noisy & (baseline.nights >= policy.gating_nights)
        tested &= np.isfinite(moved.difference)
        return _decided(
            baseline=baseline,
            noise=noise,
            moved=moved,
            too_noisy=too_noisy,
            tested=tested,
            rules=rules,
            alpha=alpha,
        )

    def block_variance(self, nights: Bools) -> Floats:
        """Mean variance of a night over `nights` of each metric, in that of a block; shape (m,)."""
        used = nights.any(axis=1)
        each = np.where(nights[used], median_variance(self.panel.blocks[used]), 0.0)
        return np.asarray(each.sum(axis=0) / np.maximum(nights.sum(axis=0), 1))


def beside(block_variance: Floats, of_baseline: Floats) -> Floats:
    """Variance of a night in that of a baseline night.

    With fewer blocks than the baseline's nights it is larger, as if all noise were that of the runs. With
    more it is taken to be the same: what the runs of a night share, more of them do not take away.
    """
    return np.fmax(block_variance / np.fmax(of_baseline, 1e-9), 1.0)


def _decided(
    *,
    baseline: Baseline,
    noise: Noise,
    moved: Shift,
    too_noisy: Bools,
    tested: Bools,
    rules: Rules,
    alpha: float,
) -> Level:
    p_worse, p_better = moved.p(rules.sign), moved.p(-rules.sign)
    worse, better, factor = (np.full(len(tested), np.nan) for _ in range(3))
    worse[tested], factor[tested] = holm(p_worse[tested])
    better[tested], _ = holm(p_better[tested])
    off = rules.sign * moved.difference
    return Level(
        baseline=baseline,
        noise=noise,
        shift=moved,
        too_noisy=too_noisy,
        tested=tested,
        p_worse=p_worse,
        p_better=p_better,
        worse=worse,
        better=better,
        factor=factor,
        is_worse=tested & (worse <= alpha) & (off >= rules.worse),
        is_better=tested & (better <= alpha) & (-off >= rules.better),
    )
