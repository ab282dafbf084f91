"""The earlier nights that `judge` would compare a night with, as rows of a tidy frame."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nightbench.verdict.frames import panel_of
from nightbench.verdict.judgement import LeftOut
from nightbench.verdict.layers.validity import left_out, validity_of
from nightbench.verdict.policy import Policy
from nightbench.verdict.rules import rules_of


def baseline_set(
    history: pd.DataFrame, tonight: pd.DataFrame, *, policy: Policy | None = None
) -> tuple[pd.DataFrame, tuple[LeftOut, ...]]:
    """The rows of `history` that are in the baseline of their metric, and which nights are not, and why.

    That are the pinned nights, or else the last `Policy.baseline_nights` that are valid, unflagged, and of the
    epoch and environment of `tonight`.

    Args:
        history: As `judge` takes it.
        tonight: The same, one night.
        policy: As for `judge`.

    Raises:
        ValueError: as `judge` does.
    """
    policy = policy or Policy()
    panel = panel_of(history, tonight)
    validity = validity_of(panel, rules_of(panel.metrics, panel.group, policy), policy)
    chosen = validity.baseline(validity.eligible, policy.baseline_nights)
    columns = {
        (*panel.groups[group], metric): number
        for number, (group, metric) in enumerate(zip(panel.group, panel.metrics, strict=True))
    }
    keys = zip(history["suite"], history["tier"], history["metric"], strict=True)
    column = np.array([columns.get(key, -1) for key in keys], dtype=np.int64)
    row = pd.Index(panel.nights).get_indexer(pd.Index(history["night"]))
    inside = (column >= 0) & (row >= 0) & chosen[row, column] & history["valid"].to_numpy(dtype=bool)
    if "role" in history:
        inside &= history["role"].eq("night").to_numpy()
    return history[inside], left_out(panel, validity)
