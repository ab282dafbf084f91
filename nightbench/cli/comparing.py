"""What ``nightbench compare`` puts together: stored runs, what was said about them, and their noise."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

import pandas as pd

from nightbench.cli.history_flags import metric_advice
from nightbench.cli.selection import BASELINE, Chosen, Place, choose, stored_runs
from nightbench.errors import ConfigurationError
from nightbench.history.store import HistoryStore
from nightbench.measurement import Role
from nightbench.report.set_comparison import MAIN, Quantiles, SetComparison, Side
from nightbench.scrub import scrub
from nightbench.verdict.acknowledgement import annotated
from nightbench.verdict.baseline_set import baseline_set
from nightbench.verdict.layers.fingerprints import difference
from nightbench.verdict.patterns import matches, matches_any
from nightbench.verdict.policy import Policy
from nightbench.verdict.sets.effects import set_effects
from nightbench.verdict.sets.quantiles import quantile_view
from nightbench.verdict.sets.windowed import RunCounts
from nightbench.wording import amount

MOST_RUNS = 30
"""Newest runs of a side whose windows are read for the quantiles."""

_SERIES = ["suite", "tier"]


@dataclass(frozen=True, eq=False)
class _Picked:
    """One side: its rows of the frame, and what there is to say about them."""

    name: str
    rows: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def series(self) -> set[tuple[str, str]]:
        return set(self.rows[_SERIES].itertuples(index=False, name=None))

    def of(self, series: Collection[tuple[str, str]]) -> _Picked:
        inside = pd.MultiIndex.from_frame(self.rows[_SERIES]).isin(list(series))
        return _Picked(self.name, self.rows[inside], self.notes)


def compare_sets(
    store: HistoryStore, names: tuple[str, str], place: Place, metrics: Sequence[str], policy: Policy
) -> SetComparison:
    """Compare the runs that the first name means with those of the second, as strictly as `policy` says.

    Raises:
        ConfigurationError: when a name means nothing, or the two have nothing in common.
    """
    runs = stored_runs(store, place)
    chosen = [
        None if name == BASELINE else choose(name, runs, place.named(argument))
        for name, argument in zip(names, ("A", "B"), strict=True)
    ]
    known = [each for each in chosen if each is not None]
    if not known:
        raise ConfigurationError("B", BASELINE, "is a baseline of nothing", "name a run or a night beside it")
    environments = sorted({str(value) for each in known for value in each.runs["environment"]})
    frame = _frame(store, environments, place)
    sides = [_picked(each, frame) for each in known]
    if len(sides) == 1:
        argument = "A" if chosen[0] is None else "B"
        found = _baseline(store, frame, sides[0], place.of(environments[0], argument), policy)
        sides.insert(0 if chosen[0] is None else 1, found)
    calibrated = pd.concat([store.noise(each, suite=place.suite, tier=place.tier) for each in environments])
    # the noise of two environments is no noise
    earlier = frame if len(environments) == 1 else frame[:0]
    return _compared(store, (earlier, calibrated), (sides[0], sides[1]), metrics, policy)


def _frame(store: HistoryStore, environments: Sequence[str], place: Place) -> pd.DataFrame:
    roles: tuple[Role, ...] = get_args(Role)
    one = environments[0] if len(environments) == 1 else None
    return store.nights(one, suite=place.suite, tier=place.tier, roles=roles)


def _picked(chosen: Chosen, frame: pd.DataFrame) -> _Picked:
    """The rows of the runs that are meant; invalid ones only where there are no others."""
    rows = frame[frame["run_id"].isin(chosen.runs["run_id"])]
    bad = chosen.runs[~chosen.runs["valid"]]
    if bad.empty:
        return _Picked(chosen.name, rows)
    valid = rows[rows["valid"]]
    trusted = pd.MultiIndex.from_frame(valid[_SERIES]).unique()
    alone = ~pd.MultiIndex.from_frame(rows[_SERIES]).isin(trusted)
    ids = set(rows.loc[alone, "run_id"])
    notes = [
        _invalid(chosen.name, row.run_id, row.reasons, used=row.run_id in ids) for row in bad.itertuples()
    ]
    return _Picked(chosen.name, rows[rows["valid"] | alone], tuple(notes))


def _invalid(name: str, run_id: object, reasons: object, *, used: bool) -> str:
    why = "; ".join(map(str, reasons)) if isinstance(reasons, tuple) and reasons else "no reason is stored"
    done = "compared all the same, since there is no other" if used else "left out"
    return f"{name}: run {run_id} is invalid ({why}): {done}"


def _baseline(
    store: HistoryStore, frame: pd.DataFrame, other: _Picked, place: Place, policy: Policy
) -> _Picked:
    """What the last night of the other side would be judged against."""
    nights = other.rows.sort_values("started_at", kind="stable")["night"]
    first, tonight = nights.iloc[0], nights.iloc[-1]
    now = datetime.now(UTC)
    said = annotated(
        frame,
        store.marks(place.environment),
        store.lines(place.environment),
        tonight=str(tonight),
        now=now,
        policy=policy,
    )
    begun = frame.loc[frame["night"].eq(first), "started_at"].min()
    night = said[said["night"].eq(tonight) & said["run_id"].isin(other.rows["run_id"])]
    rows, left_out = baseline_set(said[said["started_at"] < begun], night.assign(role="night"), policy=policy)
    notes = tuple(
        f"{BASELINE}: {amount(each.nights, 'night')} of {each.tier} {each.suite} left out: {each.reason}"
        for each in left_out
    )
    if rows.empty:
        problem = f"there is no earlier night to compare {other.name} with"
        needed = f"one is enough that is valid and of its tier, plan and environment (a verdict needs {policy.least_nights})"
        raise ConfigurationError(
            place.argument, BASELINE, problem, "; ".join((*notes, f"{needed}: run it again, or name a run"))
        )
    return _Picked(BASELINE, rows, notes)


def _compared(
    store: HistoryStore,
    known: tuple[pd.DataFrame, pd.DataFrame],
    sides: tuple[_Picked, _Picked],
    metrics: Sequence[str],
    policy: Policy,
) -> SetComparison:
    """`known`: the metrics of all runs that tell of noise, and the noise of the last calibrations."""
    frame, calibrated = known
    both = sides[0].series & sides[1].series
    if not both:
        raise ConfigurationError("B", sides[1].name, _nothing_in_common(*sides), "name --suite and --tier")
    before, after = (side.of(both) for side in sides)
    apart = set(before.rows["night"]) | set(after.rows["night"])
    earlier = frame[~frame["night"].isin(apart) & frame["role"].eq("night")]
    effects = set_effects(before.rows, after.rows, earlier=earlier, calibrated=calibrated, policy=policy)
    names = {each.metric for each in effects}
    for metric in metrics:
        if not any(matches(metric, name) for name in names):
            problem = "no such metric in these runs"
            raise ConfigurationError("--metric", scrub(metric), problem, metric_advice(metric, names))
    quantiles, broken = _quantiles(store, before, after, metrics or MAIN)
    return SetComparison(
        sides=(_side(before), _side(after)),
        effects=tuple(each for each in effects if not metrics or matches_any(metrics, each.metric)),
        quantiles=tuple(quantiles),
        warnings=(
            *before.notes,
            *after.notes,
            *_shared(before, after),
            *_environments(before, after),
            *_alone(sides, both),
            *broken,
        ),
    )


def _nothing_in_common(one: _Picked, other: _Picked) -> str:
    return f"has {_words(other.series)}, and {one.name} has {_words(one.series)}: nothing in common"


def _words(series: Collection[tuple[str, str]]) -> str:
    return ", ".join(f"{tier} {suite}" for suite, tier in sorted(series)) or "no metric"


def _alone(sides: tuple[_Picked, _Picked], both: set[tuple[str, str]]) -> Iterator[str]:
    for side in sides:
        if only := side.series - both:
            yield f"only {side.name} has {_words(only)}: not compared"


def _shared(before: _Picked, after: _Picked) -> Iterator[str]:
    one, other = (set(side.rows["run_id"]) for side in (before, after))
    if one == other:
        runs = "run" if len(one) == 1 else f"{len(one)} runs"
        yield f"both sides are the same {runs}: every change is 0, and an interval tells how far two such sets differ"
    elif shared := one & other:
        runs = "1 run is" if len(shared) == 1 else f"{len(shared)} runs are"
        yield f"{runs} on both sides, which makes them alike"


def _environments(before: _Picked, after: _Picked) -> Iterator[str]:
    """How the machines, versions and plans differ between the sides, and on one of them."""
    found: dict[str, list[str]] = {}
    for suite, tier in sorted(before.series):
        texts = [
            list(dict.fromkeys(side.rows.loc[_is(side.rows, suite, tier), "fingerprint"]))
            for side in (before, after)
        ]
        for side, several in zip((before, after), texts, strict=True):
            for other in several[1:]:
                found.setdefault(
                    f"{side.name} is of several environments: {difference(several[0], other)}", []
                )
        if (then := texts[0][-1]) != (now := texts[1][-1]) and now not in texts[0]:
            words = f"{after.name} has another environment than {before.name}: {difference(now, then)}"
            found.setdefault(words, []).append(f"{tier} {suite}")
    for words, series in found.items():
        yield f"{words} ({', '.join(series)})" if series else words


def _is(rows: pd.DataFrame, suite: str, tier: str) -> pd.Series[bool]:
    return rows["suite"].eq(suite) & rows["tier"].eq(tier)


def _side(picked: _Picked) -> Side:
    rows = picked.rows
    return Side(
        name=picked.name,
        runs=tuple(dict.fromkeys(rows["run_id"])),
        nights=tuple(dict.fromkeys(rows["night"])),
        first=rows["started_at"].min().to_pydatetime(),
        last=rows["started_at"].max().to_pydatetime(),
    )


def _quantiles(
    store: HistoryStore, before: _Picked, after: _Picked, metrics: Sequence[str]
) -> tuple[list[Quantiles], list[str]]:
    """The quantile views, and the windows that cannot be read."""
    views: list[Quantiles] = []
    broken: list[str] = []
    for suite, tier in sorted(before.series):
        sides = [
            _counts(store, side.rows[_is(side.rows, suite, tier)], metrics, broken)
            for side in (before, after)
        ]
        for quantity in sides[1]:
            if quantity in sides[0]:
                view = quantile_view(sides[0][quantity], sides[1][quantity])
                views.append(Quantiles(suite, tier, quantity, view))
    return views, broken


def _counts(
    store: HistoryStore, rows: pd.DataFrame, metrics: Sequence[str], broken: list[str]
) -> dict[str, list[RunCounts]]:
    """The windows of each quantity that a metric is asked for of, one element a run."""
    ids = list(dict.fromkeys(rows["run_id"]))[-MOST_RUNS:]
    named = (str(name) for name in rows["metric"].unique() if matches_any(metrics, str(name)))
    asked = {name.rpartition(".")[0] for name in named}
    windows = store.windows(ids)
    windows = windows.assign(name=windows["operation"] + "." + windows["quantity"])
    windows = windows[windows["name"].isin(asked) & windows["n"].gt(0)]
    counts: dict[str, list[RunCounts]] = {}
    for (name, run_id), of_run in windows.groupby(["name", "run_id"], sort=False):
        try:
            found = RunCounts.of(of_run.itertuples())  # type: ignore[arg-type]  # rows have the columns
        except ValueError as error:
            broken.append(f"{name} of run {run_id} has no quantiles: {error}")
            continue
        counts.setdefault(str(name), []).append(found)
    return counts
