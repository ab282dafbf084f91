"""Tonight against earlier nights, all layers but the targets."""

from __future__ import annotations

import pandas as pd

from nightbench.verdict.judgement import Verdict
from nightbench.verdict.policy import Policy


def judge(
    history: pd.DataFrame,
    tonight: pd.DataFrame,
    *,
    policy: Policy | None = None,
    reruns: pd.DataFrame | None = None,
) -> Verdict:
    """Judge tonight against `history`.

    Args:
        history: Tidy, a row for each value: ``night, suite, tier, metric, value, valid``; nights sort by their
            name or instant. Several rows of one night, suite, tier and metric are its blocks: their median
            counts. Columns that may be left out: ``fingerprint`` (text; only nights with tonight's are
            compared), ``flagged`` (bool; stays out of the baseline), ``epoch`` (int; only tonight's, which is
            the largest), ``pinned`` (bool; where any is, the pinned nights are the baseline), ``muted`` (bool).
        tonight: The same columns, one night.
        policy: How strictly; the design's when left out.
        reruns: Repetitions of tonight's suspects, the same columns; None when none were made.
    """
    raise NotImplementedError
