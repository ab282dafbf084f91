"""A tier of tonight against the nights before it: where the history meets the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd

from nightbench.history.store import HistoryStore
from nightbench.history.tidy import rows_of
from nightbench.measurement import Measurement
from nightbench.plan import Suite
from nightbench.verdict.acknowledgement import annotated
from nightbench.verdict.judgement import Verdict
from nightbench.verdict.judging import judge
from nightbench.verdict.policy import Policy
from nightbench.verdict.verdict import SuiteVerdict

_OF_LINES = ("metric", "state", "layer", "judged_at")


def judge_tier(store: HistoryStore, runs: Sequence[Measurement], policy: Policy) -> Verdict:
    """Judge what was recorded of one tier against the earlier nights of its environment.

    Args:
        store: The earlier nights, with what was said about them. Tonight's own rows in it do not count.
        runs: The blocks of the night, at least one, and the repetitions of suspects, of one suite or both.
        policy: How strictly.
    """
    blocks = [run for run in runs if run.role == "night"]
    tier, night, environment = blocks[0].tier, blocks[0].night_id, blocks[0].environment
    suites = dict.fromkeys(run.suite for run in blocks)
    earlier = pd.concat([store.nights(environment, suite=suite, tier=tier) for suite in suites])
    said = pd.concat(
        [store.lines(environment, suite=suite, tier=tier, columns=_OF_LINES) for suite in suites]
    )
    nights = pd.concat([earlier[earlier["night"] != night], _rows(blocks)], ignore_index=True)
    known = annotated(nights, store.marks(environment), said, tonight=night, now=datetime.now(UTC))
    is_tonight = known["night"] == night
    repeated = [run for run in runs if run.role == "rerun"]
    return judge(
        known[~is_tonight],
        known[is_tonight],
        policy=policy,
        reruns=_rows(repeated) if repeated else None,
    )


def of_suite(verdict: Verdict, suite: Suite) -> Verdict:
    """What a verdict on a tier says of one of its suites; its notes without the name of the suite."""
    places = {f"{line.tier} {line.suite}: " for line in verdict.lines if line.suite == suite}
    return replace(
        verdict,
        lines=tuple(line for line in verdict.lines if line.suite == suite),
        left_out=tuple(nights for nights in verdict.left_out if nights.suite == suite),
        changes=tuple(change for change in verdict.changes if change.suite == suite),
        notes=tuple(
            note.removeprefix(place) for note in verdict.notes for place in places if note.startswith(place)
        ),
    )


def keep(store: HistoryStore, verdict: Verdict, shown: Mapping[Suite, SuiteVerdict]) -> None:
    """Store the lines of a verdict, so that the nights after know what was said of this one.

    Args:
        store: Where to.
        verdict: On the tier.
        shown: The verdicts on its suites, by which the lines are found again.

    Raises:
        MeasurementError: when they could not be stored.
    """
    first = next(iter(shown.values())).measurement
    store.save_lines(
        verdict.to_frame(),
        environment=first.environment,
        night_id=first.night_id,
        run_ids={suite: each.measurement.run_id for suite, each in shown.items()},
    )


def _rows(runs: Sequence[Measurement]) -> pd.DataFrame:
    return pd.concat([rows_of(run) for run in runs], ignore_index=True)
