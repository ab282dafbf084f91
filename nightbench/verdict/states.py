"""What a line says of its metric: the state, which layer found it, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nightbench.verdict.judgement import LineState
from nightbench.verdict.layers.lasting import Changes
from nightbench.verdict.layers.tonight import Layers
from nightbench.verdict.panel import Bools, Reruns


@dataclass(frozen=True)
class Findings:
    """All that a line is made of.

    Attributes:
        layers: What layers 2 and 3 find.
        reruns: Repetitions of suspects; None where none were made.
        changes: Change points by the number of the metric.
        untold: Metrics of which layer 4 has to tell; shape (m,).
        off: Suites and tiers whose host was off tonight; shape (g,).
    """

    layers: Layers
    reruns: Reruns | None
    changes: Changes
    untold: Bools
    off: Bools


@dataclass(frozen=True)
class Said:
    """A state, the layer that found it, and one sentence where it needs one."""

    state: LineState
    why: str = ""
    layer: int | None = None


def said(findings: Findings, column: int) -> Said:
    """What is said of one metric, by its number."""
    layers = findings.layers
    early = _not_compared(layers, column)
    if early is not None:
        return early
    panel = layers.trial.panel
    found = _compared(findings, column)
    if found.state in {"suspect", "regression", "improved"} and findings.off[panel.group[column]]:
        return Said("noisy", "the host itself was off tonight")
    if found.state == "regression" and panel.muted[column]:
        return Said("muted", found.why, found.layer)
    return found


def _not_compared(layers: Layers, column: int) -> Said | None:
    if not layers.trial.rules.gates[column]:
        return Said("informs")
    value = layers.trial.panel.values[-1, column]
    if not np.isfinite(value):
        return _without_value(layers, column)
    if layers.zero[column]:
        return _of_zero(float(value))
    return _without_baseline(layers, column) or _too_noisy(layers, column)


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
    have = f"{nights} {'night' if nights == 1 else 'nights'} so far"
    if layers.trial.validity.pinned[column]:
        have = f"only {nights} {'night is' if nights == 1 else 'nights are'} pinned"
    if nights < policy.least_nights:
        return Said("no baseline", f"{have}; {policy.least_nights} make a baseline")
    return Said("provisional", f"{have}; a regression needs {policy.gating_nights}")


def _too_noisy(layers: Layers, column: int) -> Said | None:
    if not layers.tonight.too_noisy[column]:
        return None
    noise = layers.tonight.noise.sigma[column]
    return Said("too noisy", f"its own noise is {noise:.0%} from night to night".replace("%", " %"))


def _compared(findings: Findings, column: int) -> Said:
    layers = findings.layers
    suspect = bool(layers.tonight.is_worse[column])
    repeated = _repeated(findings, column) if suspect else None
    if repeated is not None and repeated.state == "regression":
        return repeated
    if layers.lasting[column]:
        return Said("regression", _of_sustained(layers, column), 3)
    if findings.untold[column]:
        since = findings.changes[column][-1]
        return Said("regression", f"worse since {since.night}, {since.age} nights ago", 4)
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
    again = f"{count} {'repetition' if count == 1 else 'repetitions'} tonight: {_percent(change)}"
    if layers.repeated[column]:
        return Said("regression", again, 2)
    return Said("noisy", again)


def _of_sustained(layers: Layers, column: int) -> str:
    level = layers.sustained
    effect, before = float(level.shift.effect[column]), int(level.baseline.nights[column])
    nights = layers.trial.policy.sustained_nights
    return f"the median of the last {nights} nights is {_percent(effect)} against the {before} before them"


def _percent(change: float) -> str:
    return f"{change:+.1%}".replace("%", " %").replace("-", "−")
