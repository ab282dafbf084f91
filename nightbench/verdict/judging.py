"""Tonight against earlier nights, all layers but the targets."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pandas as pd

from nightbench.verdict.frames import panel_of, reruns_of
from nightbench.verdict.judgement import Change, Verdict
from nightbench.verdict.layers.excuse import beyond_host
from nightbench.verdict.layers.lasting import changes_of, untold
from nightbench.verdict.layers.tonight import layers_of
from nightbench.verdict.layers.validity import left_out, validity_of
from nightbench.verdict.lines import lines_of
from nightbench.verdict.notes import absent, notes_on_suites
from nightbench.verdict.panel import Panel, Reruns
from nightbench.verdict.policy import Policy
from nightbench.verdict.rules import Rules, rules_of
from nightbench.verdict.states import Findings


def judge(
    history: pd.DataFrame,
    tonight: pd.DataFrame,
    *,
    policy: Policy | None = None,
    reruns: pd.DataFrame | None = None,
) -> Verdict:
    """Judge tonight against `history`.

    Args:
        history: Tidy, a row for each value: ``night, suite, tier, metric, value, valid``. Several rows of one
            night, suite, tier and metric are its blocks: the median of the valid ones counts. What is no
            finite number is missing. Columns that may be left out: ``started_at`` (nights sort by it, else by
            their names), ``run_id`` (rows of one run and metric count once), ``role`` (only ``night`` counts),
            ``fingerprint`` (text; only nights with tonight's are compared), ``flagged`` (bool; stays out of the
            baseline), ``flagged_own`` (bool; it is flagged for this metric itself and not for another of its
            suite; `flagged` when left out), ``told`` (bool; the metric's own regression was told that night;
            `flagged_own` when left out), ``epoch`` (int; only tonight's, which is the largest), ``pinned`` (bool;
            where any is, the pinned nights are the baseline), ``muted`` (bool). Tonight and later nights in it are ignored (a
            note counts the later ones), and so are suites and tiers that tonight has not.
        tonight: The same columns, one night.
        policy: How strictly; the design's when left out.
        reruns: Repetitions of tonight's suspects, the same columns; None when none were made.

    Raises:
        ValueError: when a column is missing, is there twice or holds what it cannot, tonight is not one night, or nights
            cannot be put in order.
    """
    policy = policy or Policy()
    panel = panel_of(history, tonight)
    rules = rules_of(panel.metrics, panel.group, policy)
    findings = findings_of(panel, rules, policy, None if reruns is None else reruns_of(reruns, panel))
    trial = findings.layers.trial
    changes = sorted(chain.from_iterable(findings.changes.values()), key=_oldest_first)
    return Verdict(
        lines=tuple(lines_of(findings)),
        left_out=left_out(panel, trial.validity),
        changes=tuple(changes),
        notes=(*notes_on_suites(findings), *absent(history, tonight)),
    )


def findings_of(panel: Panel, rules: Rules, policy: Policy, reruns: Reruns | None = None) -> Findings:
    """The layers on arrays: what `judge` is without its frames."""
    validity = validity_of(panel, rules, policy)
    layers = layers_of(panel, rules, validity, policy, reruns)
    trial = layers.trial
    changes = changes_of(trial, np.flatnonzero(rules.gates & ~layers.zero))
    compared = rules.gates & (layers.tonight.baseline.nights >= policy.gating_nights)
    compared &= np.isfinite(layers.tonight.shift.difference)
    return Findings(
        layers=layers,
        reruns=reruns,
        changes=changes,
        untold=untold(trial, changes, compared),
        off=validity.host.off_groups,
        beyond=beyond_host(trial, layers.tonight),
    )


def _oldest_first(change: Change) -> tuple[int, str, str, str]:
    return -change.age, change.suite, change.tier, change.metric
