"""Which runs are wanted of a suite and tier, and how far back that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightbench.history.places import Place
from nightbench.history.schema import INSTANT
from nightbench.measurement import Role

NIGHT: tuple[Role, ...] = ("night",)


@dataclass(frozen=True)
class Enough:
    """How far back earlier nights are read for a judgement.

    Attributes:
        nights: At least so many that count.
        before: Tonight's id: its own rows are not wanted, and only nights of an earlier one count; ids sort by time.
        like: A night counts when a valid run of it has one of these fingerprints. Of the others one row a run is
            enough, which tells that there was one, and those of `told`.
        told: Metrics of which something is open, wanted of every night.
        except_for: Nights that do not count.
        pinned: Ids of runs, and of their nights, which are wanted however old they are.
        most: Of a suite and tier no more nights are looked at that are earlier and not `like`, beside the pinned ones.
    """

    nights: int
    before: str
    like: Collection[str]
    told: Collection[str] = ()
    except_for: Collection[str] = ()
    pinned: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    most: int = 240

    def missing(self, seen: Collection[str], alike: Collection[str]) -> int:
        """How many nights at least are missing, when these were met and these of them were measured as tonight."""
        counted, others = self._counted(alike), self._others(seen, alike)
        return min(self.nights - len(counted), self.most - len(others))

    def alike(self, table: pa.Table) -> set[str]:
        """The nights of some rows that were measured as tonight; `table` has the columns of `tidy.COLUMNS`."""
        like = pc.and_(_among(table["fingerprint"], self.like), table["valid"])
        return nights_in(table.filter(like))

    def wanted(self, tables: Sequence[pa.Table]) -> list[pa.Table]:
        """The rows of `tables` that are wanted, when these hold all that has to be looked at."""
        seen = set[str]().union(*map(nights_in, tables))
        alike = set[str]().union(*map(self.alike, tables))
        first = max(_last(self._counted(alike), self.nights), _last(self._others(seen, alike), self.most))
        pinned = set(self.pinned.values())
        kept = ({night for night in seen if night >= first} | pinned) - {self.before}
        return [table.filter(self._rows(table, kept, alike | pinned)) for table in tables]

    def _counted(self, alike: Collection[str]) -> list[str]:
        return sorted(night for night in alike if night < self.before and night not in self.except_for)

    def _others(self, seen: Collection[str], alike: Collection[str]) -> list[str]:
        return sorted(night for night in seen if night < self.before and night not in alike)

    def _rows(self, table: pa.Table, kept: Collection[str], whole: Collection[str]) -> pa.Array:
        """All rows of the nights that are in both, the first of each run and `told` of those only in `kept`."""
        runs = table["run_id"].combine_chunks().indices.to_numpy()
        rows = pc.or_(pa.array(np.diff(runs, prepend=-1) != 0), _among(table["night"], whole))
        rows = pc.or_(rows, _among(table["metric"], self.told))
        return pc.and_(rows, _among(table["night"], kept))

    def pinned_among(self, places: Sequence[Place], end: int) -> list[Place]:
        """Those before the end of `places` that may be of a pinned night: of a pinned run's month, or of one beside it."""
        months = {_number(place) for place in places if place.name in self.pinned}
        return [place for place in places[:end] if months & {_number(place) + step for step in (-1, 0, 1)}]


@dataclass(frozen=True)
class Span:
    """Which runs of a suite and tier are wanted.

    Attributes:
        environment: Theirs; None for all.
        roles: Theirs.
        since, until: Instants between which they started, both included.
        last: Of so many nights, the newest ones.
        enough: Or no more than a judgement needs.
        metrics: Whether a metric is wanted, by its name; None for all.
    """

    environment: str | None
    roles: Collection[Role] = NIGHT
    since: datetime | None = None
    until: datetime | None = None
    last: int | None = None
    enough: Enough | None = None
    metrics: Callable[[str], bool] | None = None

    def rows(self, table: pa.Table) -> pa.Array:
        """The rows that are wanted of a table with the columns of the files."""
        wanted = pc.is_in(table["role"], pa.array(list(self.roles), pa.string()))
        if self.environment is not None:
            wanted = pc.and_(wanted, pc.equal(table["environment"], self.environment))
        if self.since is not None:
            wanted = pc.and_(wanted, pc.greater_equal(table["started_at"], pa.scalar(self.since, INSTANT)))
        if self.until is not None:
            wanted = pc.and_(wanted, pc.less_equal(table["started_at"], pa.scalar(self.until, INSTANT)))
        if self.metrics is not None:
            names = filter(self.metrics, pc.unique(table["name"]).to_pylist())
            wanted = pc.and_(wanted, _among(table["name"], list(names)))
        return wanted

    def may_have(self, place: Place) -> bool:
        """Whether a file may hold a run of it, as its month says."""
        return not (
            (self.since is not None and place.month < f"{self.since.astimezone(UTC):%Y-%m}")
            or (self.until is not None and place.month > f"{self.until.astimezone(UTC):%Y-%m}")
        )

    def missing(self, seen: Collection[str], alike: Collection[str]) -> float:
        """How many older nights at least have to be met, when these were and these of them are like tonight.

        It is one more than are wanted: of the oldest night that was met, some files may not have been read.
        """
        missing = math.inf if self.last is None else self.last - len(seen)
        if self.enough is not None:
            missing = min(missing, self.enough.missing(seen, alike))
        return max(0, missing + 1)

    def wanted(self, tables: Sequence[pa.Table]) -> list[pa.Table]:
        """The rows of `tables` that are wanted, when these hold all that has to be looked at."""
        if self.last is not None:
            seen = set[str]().union(*map(nights_in, tables))
            kept = sorted(seen, reverse=True)[: self.last]
            tables = [table.filter(_among(table["night"], kept)) for table in tables]
        return list(tables) if self.enough is None else self.enough.wanted(tables)


def _last(nights: Sequence[str], amount: int) -> str:
    """Where the last so many of the sorted `nights` begin; before all where there are no more."""
    return nights[-amount] if 0 < amount < len(nights) else ""


def nights_in(table: pa.Table) -> set[str]:
    """The nights of some rows."""
    return set(pc.unique(table["night"]).to_pylist())


def _among(column: pa.ChunkedArray, texts: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(column, pa.array(sorted(texts), pa.string()))


def _number(place: Place) -> int:
    """The month, counted."""
    year, _, month = place.month.partition("-")
    return 12 * int(year) + int(month)
