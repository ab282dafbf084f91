"""What else has to be known of a judgement, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from nightbench.verdict.layers.trial import Trial
from nightbench.verdict.panel import Bools
from nightbench.verdict.states import Findings
from nightbench.verdict.unsettled import unsettled
from nightbench.wording import amount, moved


def notes_on_suites(findings: Findings) -> Iterator[str]:
    """The notes on each suite and tier of tonight, in their order."""
    for number in range(len(findings.layers.trial.panel.groups)):
        yield from _of_group(findings, number)


def absent(history: pd.DataFrame, tonight: pd.DataFrame) -> Iterator[str]:
    """A note for each suite that earlier nights have in tonight's tiers and tonight has not."""
    if history.empty:
        return
    have = set(zip(tonight["suite"].astype(str), tonight["tier"].astype(str), strict=True))
    tiers = {tier for _, tier in have}
    before = history[["suite", "tier"]].drop_duplicates().astype(str)
    for suite, tier in zip(before["suite"], before["tier"], strict=True):
        if tier in tiers and (suite, tier) not in have:
            yield f"{tier} {suite}: nothing was measured tonight, though earlier nights have it"


def _of_group(findings: Findings, number: int) -> Iterator[str]:
    trial = findings.layers.trial
    suite, tier = trial.panel.groups[number]
    name = f"{tier} {suite}"
    if later := int(trial.panel.later[number]):
        are = "1 night begins" if later == 1 else f"{later} nights begin"
        yield f"{name}: {are} after tonight and not compared: check the clock, if tonight is the last"
    if not trial.panel.valid[-1, number]:
        yield f"{name}: tonight's measurement is not valid: nothing is compared"
        return
    for off in trial.validity.host.off:
        if off.group == number:
            yield (
                f"{name}: noisy host: {off.metric} is {moved(off.effect, 0)} off its median of {off.nights} "
                f"nights; {_of_host(off.effect)}"
            )
    yield from _of_baseline(trial, findings, number, name)
    for sentence in unsettled(findings, number):
        yield f"{name}: {sentence}"


def _of_host(effect: float) -> str:
    if effect > 0:
        return "what a slower host explains is no regression tonight"
    return "the host is faster, and what got better tonight may be its doing"


def _of_baseline(trial: Trial, findings: Findings, number: int, name: str) -> Iterator[str]:
    policy = trial.policy
    columns = (trial.panel.group == number) & trial.rules.gates
    if not columns.any():
        yield f"{name}: none of its metrics gates"
        return
    pinned = columns & trial.validity.pinned
    kind = "pinned" if pinned.any() else "comparable"
    nights = int(findings.layers.tonight.baseline.nights[pinned if pinned.any() else columns].max())
    have = amount(nights, f"{kind} night")
    if kind == "pinned" and nights < policy.gating_nights:
        yield (
            f"{name}: only {have}: no regression can be found until {policy.gating_nights} are pinned, or none "
            "(`nightbench history unpin`)"
        )
    elif nights < policy.least_nights:
        yield f"{name}: no baseline yet: {have}, {policy.least_nights} make one; targets only"
    elif nights < policy.gating_nights:
        yield f"{name}: provisional: {have}, a regression needs {policy.gating_nights}"
    elif kind == "pinned":
        yield f"{name}: compared with {have}"
    for sentence in _pins_of_before(findings, columns):
        yield f"{name}: {sentence}"
    tested = findings.layers.tonight.tested[columns]
    if nights >= policy.gating_nights and not tested.any() and np.any(trial.panel.known[-1, columns]):
        yield f"{name}: no metric could be tested"


def _pins_of_before(findings: Findings, columns: Bools) -> Iterator[str]:
    """An epoch goes before a pin: which pinned nights do not count any more, and what does instead."""
    trial = findings.layers.trial
    panel = trial.panel
    lost = (panel.pinned & panel.known & ~panel.in_epoch).sum(axis=0)
    alike: dict[tuple[int, int], list[int]] = {}
    for column in np.flatnonzero(columns & (lost > 0)):
        begun = int(np.flatnonzero(panel.in_epoch[:, column])[0])
        alike.setdefault((begun, int(lost[column])), []).append(int(column))
    for (begun, pins), members in sorted(alike.items()):
        left = int(findings.layers.tonight.baseline.nights[members].max())
        kind = "pinned " if trial.validity.pinned[members].any() else ""
        since = "tonight" if begun == len(panel.nights) - 1 else panel.nights[begun]
        one = len(members) == 1
        yield (
            f"{amount(pins, 'pinned night')} {'is' if pins == 1 else 'are'} of an earlier epoch of "
            f"{panel.metrics[members[0]] if one else f'{len(members)} metrics'}: {'it is' if one else 'these are'} "
            f"compared with {amount(left, f'{kind}night')} since {since}; `nightbench history pin` can name others"
        )
