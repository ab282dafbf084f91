"""Regressions that nobody settled and that tonight cannot be held against any more: they do not vanish in silence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nightbench.verdict.layers.fingerprints import difference
from nightbench.verdict.layers.trial import Trial
from nightbench.verdict.states import Findings
from nightbench.wording import amount

_NAMED = 3


def unsettled(findings: Findings, number: int) -> Iterator[str]:
    """A sentence for each open regression of one suite and tier whose baseline is gone, and one for the many more.

    Open is what was told and not acknowledged, in tonight's epoch; and not over before its baseline went: of the last
    `sustained_nights` nights that were like the one in which it was told, it was told in one. Gone is the
    baseline when tonight the metric has fewer than `gating_nights` nights to compare with.
    """
    trial = findings.layers.trial
    columns = (trial.panel.group == number) & trial.rules.gates & ~trial.validity.pinned
    columns &= findings.layers.tonight.baseline.nights < trial.policy.gating_nights
    told = trial.panel.told & trial.panel.in_epoch
    told[-1] = False
    found = [
        (row, int(column))
        for column in np.flatnonzero(columns & told.any(axis=0))
        if _was_open(trial, row := int(np.flatnonzero(told[:, column])[-1]), int(column))
    ]
    found.sort(reverse=True)
    for row, column in found[:_NAMED]:
        yield (
            f"{trial.panel.metrics[column]} was a regression on {trial.panel.nights[row]}, and is not settled: "
            f"its baseline is gone ({_why(trial, row, column)})"
        )
    more = len(found) - _NAMED
    if more > 0:
        yield f"{more} more {'is' if more == 1 else 'are'} not settled"


def _was_open(trial: Trial, row: int, column: int) -> bool:
    """Whether the regression told in a row was still one when its baseline went."""
    if trial.validity.measured[row, column]:
        return True  # its own nights count, those before it are gone
    panel, group = trial.panel, trial.panel.group[column]
    same, fingerprint = trial.validity.host.same[:, group], panel.fingerprint[:, group]
    like = panel.valid[:, group] & (same == same[row])
    like &= np.array([each == fingerprint[row] for each in fingerprint], dtype=bool)
    return int(like[row + 1 :].sum()) < trial.policy.sustained_nights


def _why(trial: Trial, row: int, column: int) -> str:
    validity, group = trial.validity, trial.panel.group[column]
    if not validity.comparable[row, group]:
        then, now = trial.panel.fingerprint[[row, -1], group]
        return difference(now, then)  # the other way round: what tonight has instead
    if not validity.host.same[row, group]:
        return "the host is not what it was"
    began_before = trial.panel.own[:row, column] & ~trial.panel.told[:row, column]
    if (began_before & validity.measured[:row, column]).any():
        left = int(validity.eligible[:row, column].sum())
        return f"only {amount(left, 'night')} before it {'is' if left == 1 else 'are'} left"
    return "none of the nights looked at is from before it"
