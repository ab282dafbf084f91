"""From tidy data frames, a row a value, to the arrays of the verdict."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from nightbench.verdict.panel import Bools, Floats, Ints, Panel, Reruns
from nightbench.verdict.rows import ordered, rows_of, truth


def panel_of(history: pd.DataFrame, tonight: pd.DataFrame) -> Panel:
    """The panel of the suites and tiers that tonight has, up to tonight.

    Metrics stand in tonight's order, then those that only earlier nights have. Rows of another role than
    ``night`` do not count; nor do those of tonight, or of later nights, in `history`. What is no number is
    missing. Of two rows of one run and metric the last counts.

    Raises:
        ValueError: when a column is missing, tonight is not one night, or nights cannot be put in order.
    """
    now = rows_of(tonight, "tonight", of_the_night=True)
    nights = now["night"].unique()
    if len(nights) != 1:
        raise ValueError(f"tonight has to be one night, and its column `night` has {len(nights)}")
    known = _of_groups(rows_of(history, "history", of_the_night=True), now)
    before, order = ordered(known, now, nights[0])
    later = known.loc[~known["night"].isin(order), ["suite", "tier", "night"]].drop_duplicates()
    return _Cells(pd.concat([now, before], ignore_index=True), order, now, later).panel()


def reruns_of(reruns: pd.DataFrame, panel: Panel) -> Reruns:
    """The repetitions of the panel's metrics; those of other suites and tiers are ignored.

    Raises:
        ValueError: when a column is missing.
    """
    rows = rows_of(reruns, "reruns", of_the_night=False)
    columns = {
        (*panel.groups[group], metric): number
        for number, (group, metric) in enumerate(zip(panel.group, panel.metrics, strict=True))
    }
    keys = zip(rows["suite"], rows["tier"], rows["metric"], strict=True)
    place = np.array([columns.get(key, -1) for key in keys], dtype=np.int64)
    usable = (place >= 0) & rows["valid"].to_numpy() & np.isfinite(rows["value"].to_numpy())
    values, counts = _medians(place[usable], rows["value"].to_numpy()[usable], len(panel.metrics))
    ran = {(suite, tier) for suite, tier in zip(rows["suite"], rows["tier"], strict=True)}
    made = np.array([panel.groups[group] in ran for group in panel.group], dtype=bool)
    return Reruns(values, counts, made)


def _of_groups(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """The rows of the suites and tiers that tonight has: nights of others do not count as nights."""
    groups = pd.MultiIndex.from_frame(now[["suite", "tier"]])
    return before[pd.MultiIndex.from_frame(before[["suite", "tier"]]).isin(groups)]


def _medians(place: Ints, values: Floats, size: int) -> tuple[Floats, Ints]:
    """The median of the values at each of `size` places, NaN where there is none, and how many there are."""
    order = np.lexsort((values, place))
    counts = np.bincount(place, minlength=size)
    ends = np.cumsum(counts)
    some = counts > 0
    low, high = (ends - counts + (counts - 1) // 2)[some], (ends - counts + counts // 2)[some]
    medians = np.full(size, np.nan)
    medians[some] = values[order[low]] / 2 + values[order[high]] / 2  # their sum could be too large
    return medians, counts


@dataclass(frozen=True)
class _Cells:
    """Rows of all nights, tonight's first so that its metrics are, and what they are numbered by."""

    rows: pd.DataFrame
    nights: list[Hashable]
    now: pd.DataFrame
    later: pd.DataFrame

    def panel(self) -> Panel:
        rows = self.rows
        night = pd.Index(self.nights).get_indexer(pd.Index(rows["night"]))
        columns, names = numbered(rows[["suite", "tier", "metric"]])
        groups = list(dict.fromkeys((suite, tier) for suite, tier, _ in names))
        group = np.array([groups.index((suite, tier)) for suite, tier, _ in names], dtype=np.int64)
        cell = night * len(names) + columns
        shape = (len(self.nights), len(names))
        of_group = night * len(groups) + group[columns]
        wide = (len(self.nights), len(groups))
        value, valid = rows["value"].to_numpy(), rows["valid"].to_numpy()
        usable = valid & np.isfinite(value)
        values, blocks = _medians(cell[usable], value[usable], shape[0] * shape[1])
        flagged = self._marked("flagged", cell, shape)
        own = self._marked("flagged_own", cell, shape) if "flagged_own" in rows else flagged
        return Panel(
            nights=tuple(self.nights),
            groups=tuple(groups),
            metrics=tuple(metric for _, _, metric in names),
            named=int(columns[: len(self.now)].max()) + 1,
            group=group,
            values=values.reshape(shape),
            blocks=blocks.reshape(shape),
            flagged=flagged,
            own=own,
            told=self._marked("told", cell, shape) if "told" in rows else own,
            pinned=self._marked("pinned", cell, shape),
            epoch=self._epoch(columns, cell, shape),
            muted=self._muted(columns, night, shape),
            measured=_any(of_group, wide),
            valid=_any(of_group[valid], wide),
            fingerprint=self._fingerprint(of_group, wide),
            later=self._later(groups),
        )

    def _marked(self, column: str, cell: Ints, shape: tuple[int, int]) -> Bools:
        if column not in self.rows:
            return np.zeros(shape, dtype=bool)
        return _any(cell[truth(self.rows[column])], shape)

    def _later(self, groups: list[tuple[str, str]]) -> Ints:
        """How many nights of each suite and tier do not begin before tonight."""
        found = list(zip(self.later["suite"], self.later["tier"], strict=True))
        return np.array([found.count(group) for group in groups], dtype=np.int64)

    def _epoch(self, columns: Ints, cell: Ints, shape: tuple[int, int]) -> Ints:
        """Tonight's is the largest of each metric, whether it has a value tonight or not."""
        epoch = np.zeros(shape, dtype=np.int64)
        if "epoch" in self.rows:
            said = pd.to_numeric(self.rows["epoch"], errors="coerce").fillna(0).to_numpy(dtype=np.int64)
            epoch.flat[cell] = said
            np.maximum.at(epoch[-1], columns, said)
        return epoch

    def _muted(self, columns: Ints, night: Ints, shape: tuple[int, int]) -> Bools:
        """What tonight's rows say, or, where they have no such column, those of the night before."""
        if "muted" not in self.rows:
            return np.zeros(shape[1], dtype=bool)
        row = shape[0] - 1 if "muted" in self.now else shape[0] - 2
        return _any(columns[truth(self.rows["muted"]) & (night == row)], (shape[1],))

    def _fingerprint(self, of_group: Ints, shape: tuple[int, int]) -> npt.NDArray[np.object_]:
        """Of the first valid block that has one, or of the first block."""
        found = np.full(shape, None, dtype=object)
        if "fingerprint" in self.rows:
            said = self.rows["fingerprint"]
            for kind in (~self.rows["valid"].to_numpy(), self.rows["valid"].to_numpy()):
                first = pd.Series(of_group[kind & said.notna()]).drop_duplicates()
                found.flat[first.to_numpy()] = said[kind & said.notna()].iloc[first.index].to_numpy()
        return found


def numbered(names: pd.DataFrame) -> tuple[Ints, list[tuple[str, ...]]]:
    """The number of each row's name, from 0 in the order of appearance, and the names."""
    codes = np.zeros(len(names), dtype=np.int64)
    for column in names:
        numbers, some = pd.factorize(names[column])
        codes = codes * len(some) + numbers
    order, _ = pd.factorize(codes)
    first = np.full(order.max(initial=-1) + 1, len(names))
    np.minimum.at(first, order, np.arange(len(names)))
    columns = (names[column].iloc[first] for column in names)
    return np.asarray(order, dtype=np.int64), list(zip(*columns, strict=True))


def _any(places: Ints, shape: tuple[int, ...]) -> Bools:
    found = np.zeros(shape, dtype=bool)
    found.flat[places] = True
    return found
