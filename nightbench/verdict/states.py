"""What a line says of its metric: the state, which layer found it, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nightbench.verdict.judgement import LineState
from nightbench.verdict.layers.baseline import last
from nightbench.verdict.layers.excuse import explained
from nightbench.verdict.layers.lasting import Changes, Untold
from nightbench.verdict.layers.tonight import Layers
from nightbench.verdict.panel import Bools, Reruns
from nightbench.wording import amount, moved, share


@dataclass(frozen=True)
class Findings:
    """All that a line is made of.

    Attributes:
        layers: What layers 2 and 3 find.
        reruns: Repetitions of suspects; None where none were made.
        changes: Change points by the number of the metric.
        untold: Of what layer 4 has to tell.
        off: Suites and tiers whose host was off tonight; shape (g,).
        beyond: Metrics that are worse by more than a slower host explains; shape (m,).
    """

    layers: Layers
    reruns: Reruns | None
    changes: Changes
    untold: Untold
    off: Bools
    beyond: Bools


@dataclass(frozen=True)
class Said:
    """A state, the layer that found it, one sentence where it needs one, and the first night of what layer 4 found."""

    state: LineState
    why: str = ""
    layer: int | None = None
    since: str | None = None


def said(findings: Findings, column: int) -> Said:
    """What is said of one metric, by its number."""
    layers = findings.layers
    early = _not_compared(layers, column)
    if early is None and not findings.untold.found[column]:
        early = _too_noisy(layers, column)
    if early is not None:
        return early
    panel = layers.trial.panel
    found = _compared(findings, column)
    if findings.off[panel.group[column]]:
        found = _on_a_host_that_was_off(findings, column, found)
    outages = layers.trial.validity.outages
    if found.state == "improved" and (failed := [name for name, out in outages.items() if out[-1, column]]):
        return Said("noisy", f"most of {failed[0]} failed tonight: what is left is no improvement")
    if found.state == "regression" and panel.muted[column]:
        return replace(found, state="muted")
    return found


def _on_a_host_that_was_off(findings: Findings, column: int, found: Said) -> Said:
    """No improvement is believed, and no regression but one that a slower host does not explain."""
    worse = found.state in {"suspect", "regression", "noisy"}
    if found.state == "improved" or (worse and not findings.beyond[column]):
        return Said("noisy", "the host itself was off tonight")
    trial = findings.layers.trial
    part = float(explained(trial)[column])
    if worse and part:
        of_host = moved(float(np.expm1(trial.rules.sign[column] * part)))
        return replace(found, why=f"{found.why}; a host this slow explains {of_host}")
    return found


def _not_compared(layers: Layers, column: int) -> Said | None:
    if not layers.trial.rules.gates[column]:
        return Said("informs")
    value = layers.trial.panel.values[-1, column]
    if not np.isfinite(value):
        return _without_value(layers, column)
    if layers.zero[column]:
        return _of_zero(float(value))
    return _without_baseline(layers, column)


def _without_value(layers: Layers, column: int) -> Said:
    panel = layers.trial.panel
    why = "no value tonight"
    if not panel.valid[-1, panel.group[column]]:
        why = "tonight's measurement is not valid"
    if layers.tonight.baseline.nights[column] or layers.zero[column]:
        return Said("missing", why)
    return Said("no baseline", f"{why}, and none in earlier nights")


def _of_zero(value: float) -> Said:
    """Of zero no change is relative; that it is not zero any more is said, and a target can hold it."""
    if value <= 0:
        return Said("steady", "zero, as in every earlier night")
    return Said("no baseline", "it was zero in every earlier night: no relative change; hold it by a target")


def _without_baseline(layers: Layers, column: int) -> Said | None:
    policy, nights = layers.trial.policy, int(layers.tonight.baseline.nights[column])
    if nights >= policy.gating_nights:
        return None
    have = f"{amount(nights, 'night')} so far"
    if layers.trial.validity.pinned[column]:
        have = f"only {amount(nights, 'night')} {'is' if nights == 1 else 'are'} pinned"
    if nights < policy.least_nights:
        return Said("no baseline", f"{have}; {policy.least_nights} make a baseline")
    return Said("provisional", f"{have}; a regression needs {policy.gating_nights}")


def _too_noisy(layers: Layers, column: int) -> Said | None:
    if not layers.tonight.too_noisy[column]:
        return None
    noise = layers.tonight.noise.sigma[column]
    return Said("too noisy", f"its own noise is {share(noise)} from night to night")


def _compared(findings: Findings, column: int) -> Said:
    layers = findings.layers
    suspect = bool(layers.tonight.is_worse[column])
    repeated = _repeated(findings, column) if suspect else None
    if repeated is not None and repeated.state == "regression":
        return repeated
    if layers.lasting[column]:
        return Said("regression", _of_sustained(layers, column), 3)
    if findings.untold.found[column]:
        change = findings.changes[column][-1]
        why = f"worse since {change.night}, {change.age} nights ago"
        return Said("regression", why, 4, change.night)
    if repeated is not None:
        return repeated
    return Said("improved" if layers.tonight.is_better[column] else "steady")


def _repeated(findings: Findings, column: int) -> Said:
    reruns, layers = findings.reruns, findings.layers
    if reruns is None or layers.repeated is None or not reruns.made[column]:
        return Said("suspect", "not repeated")
    value = float(reruns.values[column])
    if not np.isfinite(value):
        return Said("suspect", "its repetitions have no valid value")
    count = int(reruns.blocks[column])
    change = value / float(np.exp(layers.tonight.baseline.centre[column])) - 1
    again = f"{amount(count, 'repetition')} tonight: {moved(change)}"
    if layers.repeated[column]:
        return Said("regression", again, 2)
    return Said("noisy", again)


def _of_sustained(layers: Layers, column: int) -> str:
    """With how many of the nights are worse: the median is where most of them are."""
    level, trial = layers.sustained, layers.trial
    effect, before = float(level.shift.effect[column]), int(level.baseline.nights[column])
    nights, rules = trial.policy.sustained_nights, trial.rules
    latest = last(trial.validity.measured, nights)[:, column]
    off = rules.sign[column] * (trial.logs[latest, column] - level.baseline.centre[column])
    worse = int((off >= rules.worse[column]).sum())
    return (
        f"the median of the last {nights} nights is {moved(effect)} against the {before} before them; "
        f"{worse} of the {nights} {'is' if worse == 1 else 'are'} worse by {share(rules.floor[column])} or more"
    )
