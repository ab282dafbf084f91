"""From what the layers find to one line a metric."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nightbench.verdict.judgement import Line
from nightbench.verdict.layers.baseline import last
from nightbench.verdict.layers.shift import relative
from nightbench.verdict.layers.tonight import Layers
from nightbench.verdict.panel import Bools, Floats
from nightbench.verdict.policy import Policy
from nightbench.verdict.states import Findings, said

_WITHOUT_BASELINE = frozenset({"no baseline", "informs", "missing"})
"""What is said of a metric whether or not it has nights enough: without them nothing is said of what they have."""


def lines_of(findings: Findings) -> Iterator[Line]:
    """A line for each metric that tonight names, then for those that only the last nights have."""
    trial = findings.layers.trial
    panel, rules = trial.panel, trial.rules
    columns = _columns(findings.layers)
    for column in np.flatnonzero(_shown(findings)):
        suite, tier = panel.groups[panel.group[column]]
        spoken = said(findings, int(column))
        figures = {name: _plain(values[column]) for name, values in columns.items()}
        figures |= _sure(findings, int(column), spoken.layer)
        nights = int(findings.layers.tonight.baseline.nights[column])
        if nights < trial.policy.least_nights and spoken.state in _WITHOUT_BASELINE:
            figures = {**dict.fromkeys(figures), "value": figures["value"]}
        yield Line(
            suite=suite,
            tier=tier,
            metric=panel.metrics[column],
            state=spoken.state,
            higher_is_worse=bool(rules.sign[column] > 0),
            gates=bool(rules.gates[column]) and spoken.state not in {"too noisy", "informs"},
            floor=float(rules.floor[column]),
            layer=spoken.layer,
            nights=nights,
            why=spoken.why,
            since=spoken.since,
            alpha=None if figures["p_adjusted"] is None else _alpha_of(trial.policy, spoken.layer),
            **figures,
        )


def _shown(findings: Findings) -> Bools:
    trial = findings.layers.trial
    panel = trial.panel
    recent = last(trial.validity.comparable[:-1], trial.policy.baseline_nights)[:, panel.group]
    shown = np.asarray((panel.known[:-1] & recent).any(axis=0))
    shown[: panel.named] = True
    return shown


def _columns(layers: Layers) -> dict[str, Floats]:
    """The figures of all lines by attribute, NaN where there is none."""
    trial, tonight = layers.trial, layers.tonight
    moved, sign = tonight.shift, trial.rules.sign
    low, high = moved.interval
    worse = sign * moved.difference >= 0
    tests = max(int(tonight.tested.sum()), 1)
    alpha = trial.policy.tonight_level
    detectable = moved.detectable(alpha / tests, trial.rules.worse)
    return {
        "value": trial.panel.values[-1],
        "baseline": np.where(layers.zero, 0.0, np.exp(tonight.baseline.centre)),
        "effect": moved.effect,
        "low": low,
        "high": high,
        "p": np.where(worse, tonight.p_worse, tonight.p_better),
        "p_adjusted": np.where(worse, tonight.worse, tonight.better),
        "noise": tonight.noise.sigma,
        "detectable": relative(sign * detectable),
    }


def _alpha_of(policy: Policy, layer: int | None) -> float:
    """What the adjusted p of that layer is held against, of tonight's where none found anything."""
    return {3: policy.sustained_level, 4: policy.change_level}.get(layer or 0, policy.tonight_level)


def _sure(findings: Findings, column: int, layer: int | None) -> dict[str, float | None]:
    """How sure the layer is that found a regression, where that is not tonight's alone."""
    layers = findings.layers
    if layer == 3:
        return {
            "p": _plain(layers.sustained.p_worse[column]),
            "p_adjusted": _plain(layers.sustained.worse[column]),
        }
    if layer == 4:
        told = findings.untold
        return {"p": _plain(told.p[column]), "p_adjusted": _plain(told.p_adjusted[column])}
    return {}


def _plain(number: Any) -> float | None:
    return float(number) if np.isfinite(number) else None
