"""A tier of tonight against the nights before it: where the history meets the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pandas as pd

from nightbench.history.fingerprint import fingerprint, text_of
from nightbench.history.marks import Mark, pinned
from nightbench.history.record import clean_text
from nightbench.history.span import Enough
from nightbench.history.store import HistoryStore
from nightbench.history.tidy import rows_of
from nightbench.measurement import Measurement
from nightbench.plan import Suite
from nightbench.verdict.acknowledgement import annotated, mute_of
from nightbench.verdict.judgement import Line, Verdict
from nightbench.verdict.judging import judge
from nightbench.verdict.policy import Policy
from nightbench.verdict.verdict import SuiteVerdict

_OF_LINES = ("metric", "state", "layer", "since", "judged_at")
_WORSE = ("regression", "muted")
"""A night of which that was said of a metric is in no baseline of it."""


@dataclass(frozen=True, eq=False)
class Earlier:
    """What is known before a night of one tier: read once, and held against as often as it is judged.

    Attributes:
        nights: Of the suites of the tier, tonight not among them, tidy; see `nightbench.history.tidy.COLUMNS`.
        lines: What was said of them by verdicts; no line is older than these nights, but for those pinned.
        marks: What was said of them by people.
    """

    nights: pd.DataFrame
    lines: pd.DataFrame
    marks: Sequence[Mark]


def earlier_nights(store: HistoryStore, runs: Sequence[Measurement], policy: Policy) -> Earlier:
    """Read what `runs` are judged against: the nights that can matter, with what was said about them.

    Of each suite that are the last nights that could be compared with tonight and that nobody and no verdict
    spoke ill of, as many as the longest series of the verdict has and a baseline more, the nights between
    them, and those that are pinned. Where many nights cannot be compared it ends sooner, see `Enough.most`.

    Args:
        store: Where they lie. Tonight's own rows in it do not count.
        runs: The blocks of the night, at least one, of one suite or both.
        policy: How they will be judged.
    """
    blocks = [run for run in runs if run.role == "night"]
    environment, tier = blocks[0].environment, blocks[0].tier
    marks = store.marks(environment)
    nights, lines = [], []
    for suite in dict.fromkeys(run.suite for run in blocks):
        said = store.lines(environment, suite=suite, tier=tier, columns=_OF_LINES)
        of_it = [mark for mark in marks if (mark.suite, mark.tier) == (suite, tier)]
        enough = _enough([run for run in blocks if run.suite == suite], said, of_it, policy)
        found = store.nights(environment, suite=suite, tier=tier, enough=enough)
        nights.append(found)
        lines.append(said[said["night"] >= _first(found, enough)])
    return Earlier(pd.concat(nights), pd.concat(lines), marks)


def _enough(
    blocks: Sequence[Measurement], lines: pd.DataFrame, marks: Sequence[Mark], policy: Policy
) -> Enough:
    worse = lines[lines["state"].isin(_WORSE)]
    nights = policy.change_nights + policy.baseline_nights
    return Enough(
        nights=nights,
        before=blocks[0].night_id,
        like=frozenset(text_of(fingerprint(run)) for run in blocks),
        told=frozenset(worse["metric"]),
        except_for=frozenset(worse["night"]).union(mark.night_id for mark in marks if mark.kind == "invalid"),
        pinned={mark.run_id: mark.night_id for mark in pinned(marks).values()},
        most=max(Enough.most, 2 * nights),
    )


def _first(nights: pd.DataFrame, enough: Enough) -> str:
    """The first of the nights that were read one after another; a pinned one may be older."""
    pins = set(enough.pinned.values())
    return min((night for night in nights["night"].unique() if night not in pins), default=enough.before)


def judge_tier(earlier: Earlier, runs: Sequence[Measurement], policy: Policy) -> Verdict:
    """Judge what was recorded of one tier against the earlier nights of its environment.

    Args:
        earlier: These, as `earlier_nights` reads them for `runs`.
        runs: The blocks of the night, at least one, and the repetitions of suspects, of one suite or both.
        policy: How strictly.
    """
    blocks = [run for run in runs if run.role == "night"]
    night = blocks[0].night_id
    nights = pd.concat([earlier.nights, rows_of(*blocks)], ignore_index=True)
    known = annotated(
        nights, earlier.marks, earlier.lines, tonight=night, now=datetime.now(UTC), policy=policy
    )
    is_tonight = known["night"] == night
    repeated = [run for run in runs if run.role == "rerun"]
    verdict = judge(
        known[~is_tonight],
        known[is_tonight],
        policy=policy,
        reruns=rows_of(*repeated) if repeated else None,
    )
    return replace(verdict, lines=tuple(with_its_mute(line, earlier.marks) for line in verdict.lines))


def with_its_mute(line: Line, marks: Sequence[Mark]) -> Line:
    """A muted line says who muted it, until when and why."""
    if line.state != "muted":
        return line
    said = clean_text(mute_of(marks, line.suite, line.tier, line.metric))
    return replace(line, why="; ".join(text for text in (line.why, said) if text))


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
