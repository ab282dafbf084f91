"""The dataset under one root: each run saved whole or not at all, and what was stored read back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from nightbench.errors import MeasurementError
from nightbench.files import reason
from nightbench.history import alerts, judgements, runs, tidy
from nightbench.history.filters import RunFilter
from nightbench.history.judgements import Scope
from nightbench.history.marks import Mark, mark_of, row_of
from nightbench.history.places import Place, path_of
from nightbench.history.reader import Reader
from nightbench.history.reading import UnreadableFile
from nightbench.history.record import JudgedTarget
from nightbench.history.remembered import folder_of
from nightbench.history.root import storage_at
from nightbench.history.rows import file_of
from nightbench.history.runs import NoSuchRunError, StoredRun
from nightbench.history.runs import UnreadableRunError as UnreadableRunError  # noqa: PLC0414
from nightbench.history.saving import SavedRun as SavedRun  # noqa: PLC0414  # of whom the store saves for
from nightbench.history.saving import UnsavedError as UnsavedError  # noqa: PLC0414
from nightbench.history.saving import save
from nightbench.history.schema import ALERTS, FORMS, MARKS, NOISE, RUNS, VERDICTS, TableForm
from nightbench.history.span import NIGHT, Enough, Span
from nightbench.history.storage import Storage
from nightbench.measurement import Measurement, Role, new_id

_ALL = RunFilter()


class HistoryStore:
    """All that was measured, judged and said, under `root`: a folder, or the URL of an object store.

    A run exists when its file in ``runs`` does, which is written last; what a crash left of its other
    tables is never read as part of the history. Whatever cannot be read is skipped and stands in
    `unreadable`. Nothing is opened before it is needed.
    """

    def __init__(self, root: Path | str, *, remembered: Path | None = None) -> None:
        """`remembered` is the folder, if any, where `nights` keeps what it read: it can be made again."""
        self.root = root
        self._remembered = remembered
        self._listed: dict[tuple[str, str], list[Place]] = {}

    @cached_property
    def storage(self) -> Storage:
        """The files."""
        return storage_at(self.root)

    @cached_property
    def reader(self) -> Reader:
        """What reads them, and remembers what it had to skip."""
        return Reader(self.storage)

    @property
    def unreadable(self) -> list[UnreadableFile]:
        """The files that this store came across and had to skip: torn, foreign, or of a newer version."""
        return self.reader.unreadable

    def check_writable(self) -> None:
        """Try to write, in the root and in every table that is already there.

        Raises:
            ConfigurationError: naming the setting ``results`` and the place.
        """
        self.storage.check_writable(form.name for form in FORMS)

    def save(
        self,
        measurement: Measurement,
        targets: Sequence[JudgedTarget],
        *,
        fallback: Path | None = None,
    ) -> SavedRun:
        """Write one run, whole or not at all.

        Args:
            measurement: What was measured, valid or not.
            targets: Its targets, judged.
            fallback: Where the run is kept as one JSON document when the dataset cannot take it.

        Raises:
            UnsavedError: when it could not be saved, naming the place and where the run was kept.
        """
        return save(self.storage, measurement, targets, fallback)

    def save_mark(self, mark: Mark) -> None:
        """Write one mark.

        Raises:
            MeasurementError: when it could not be saved.
        """
        self._save(MARKS, path_of(MARKS, mark.mark_id, mark.at), [row_of(mark)])

    def save_lines(
        self,
        frame: pd.DataFrame,
        *,
        environment: str,
        night_id: str,
        run_ids: Mapping[str, str] | None = None,
        judged_at: datetime | None = None,
    ) -> None:
        """Write the lines of a judgement, which replaces earlier ones of the same night, suite and tier.

        Args:
            frame: As `nightbench.verdict.judgement.Verdict.to_frame` gives it: one row a line.
            environment: Of the night.
            night_id: Which was judged.
            run_ids: One run of the night by suite, to find the measurement by.
            judged_at: Now unless given.

        Raises:
            MeasurementError: when they could not be saved.
        """
        at = (judged_at or datetime.now(UTC)).astimezone(UTC)
        rows = judgements.rows_of_lines(
            frame, environment=environment, night_id=night_id, run_ids=run_ids or {}, judged_at=at
        )
        for suite, tier, name, lines in rows:
            self._save(VERDICTS, path_of(VERDICTS, name, at, suite, tier), lines)

    def save_noise(
        self, frame: pd.DataFrame, *, environment: str, at: datetime | None = None, fingerprint: str = ""
    ) -> None:
        """Write what a calibration found.

        Args:
            frame: One row a metric: suite, tier, metric, runs, mean, within_sd, between_sd.
            environment: Of its runs.
            at: Now unless given.
            fingerprint: Of its runs, unless the frame has a column of that name.

        Raises:
            MeasurementError: when it could not be saved.
        """
        instant = (at or datetime.now(UTC)).astimezone(UTC)
        rows = judgements.rows_of_noise(frame, environment=environment, at=instant, fingerprint=fingerprint)
        for suite, tier, name, lines in rows:
            self._save(NOISE, path_of(NOISE, name, instant, suite, tier), lines)

    def save_alerts(self, rows: Iterable[Mapping[str, Any]], at: datetime | None = None) -> None:
        """Write what was told, and what became of it; a later row about the same alert replaces an earlier one.

        Args:
            rows: The columns of the table ``alerts`` without `at`.
            at: Now unless given.

        Raises:
            MeasurementError: when they could not be saved.
        """
        instant = (at or datetime.now(UTC)).astimezone(UTC)
        if known := alerts.rows_of_alerts(rows, instant):
            self._save(ALERTS, path_of(ALERTS, new_id("alerts", instant), instant), known)

    def alerts(
        self, environment: str | None = None, *, night: str | None = None, since: datetime | None = None
    ) -> pd.DataFrame:
        """The alerts and what became of each, one row each in the order in which they were decided.

        Args:
            environment: Of the nights; None for all.
            night: Only this one, by its id.
            since: Only what was written in the month of this instant or later.
        """
        return alerts.alerts(self.reader, environment, night, since)

    def nights(
        self,
        environment: str | None,
        *,
        suite: str | None = None,
        tier: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        last: int | None = None,
        enough: Enough | None = None,
        roles: Collection[Role] = NIGHT,
        metrics: Callable[[str], bool] | None = None,
    ) -> pd.DataFrame:
        """The metrics of earlier runs, one row each, oldest first, invalid runs too; see `tidy.COLUMNS`.

        Args:
            environment: Of the runs; None for all.
            suite: Only this one.
            tier: Only this one.
            since: When the runs started at the earliest.
            until: When they started at the latest.
            last: Only the newest so many nights of each suite and tier; no more than they need is read.
            enough: No more than a judgement needs.
            roles: What the runs were for.
            metrics: Whether one is wanted, by its name; None for all.
        """
        span = Span(environment, roles, since, until, last, enough, metrics)
        remembered = self._remembered and folder_of(self._remembered, self.storage)
        return tidy.nights(self.reader, suite, tier, span, remembered)

    def marks(self, environment: str | None = None) -> list[Mark]:
        """What was said about the runs of an environment, or of all, in the order in which it was said."""
        found: list[Mark] = []
        for place, table in self.reader.tables(MARKS, self.reader.places(MARKS)):
            try:
                found += [mark_of(row) for row in table.to_pylist()]
            except ValueError as error:
                self.reader.skip(place.path, str(error))
        of_it = (mark for mark in found if environment in (None, mark.environment))
        return sorted(of_it, key=lambda mark: (mark.at, mark.mark_id))

    def lines(
        self,
        environment: str | None,
        *,
        suite: str | None = None,
        tier: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """The lines of the last judgement of each night, suite and tier, earlier judgements first.

        Args:
            environment: Of the nights; None for all.
            suite: Only this one.
            tier: Only this one.
            columns: Of the lines, beside the names of night, suite, tier and judgement; all unless given.
        """
        return judgements.lines(self.reader, Scope(environment, suite, tier), columns)

    def noise(
        self, environment: str | None, *, suite: str | None = None, tier: str | None = None
    ) -> pd.DataFrame:
        """What the last calibration of each suite, tier and fingerprint found, one row a metric."""
        return judgements.noise(self.reader, Scope(environment, suite, tier))

    def runs(self, chosen: RunFilter = _ALL) -> pd.DataFrame:
        """One row a run, oldest first; see `runs.COLUMNS`."""
        return runs.listed(self.reader, chosen)

    def run_ids(self, prefix: str = "") -> list[str]:
        """The ids of the runs that begin with `prefix`, oldest first."""
        return [place.name for place in self.reader.places(RUNS) if place.name.startswith(prefix)]

    def run(self, name: str) -> StoredRun:
        """One run whole, by its id or the beginning of it.

        Raises:
            NoSuchRunError: when none begins so, or several do.
            UnreadableRunError: when it cannot be read.
        """
        places = [place for place in self.reader.places(RUNS) if place.name.startswith(name)]
        places = [place for place in places if place.name == name] or places
        if len(places) != 1:
            raise NoSuchRunError(name, self.storage.name, tuple(place.name for place in places))
        return runs.one(self.reader, places[0])

    def whole_runs(self, run_ids: Collection[str], *, suite: str, tier: str) -> list[StoredRun]:
        """Some runs of one suite and tier whole, by their ids, oldest first; one that cannot be read is left out."""
        found = []
        for place in self._places(run_ids, suite, tier):
            with suppress(UnreadableRunError):  # `unreadable` has it
                found.append(runs.one(self.reader, place))
        return found

    def reasons(self, run_ids: Collection[str], *, suite: str, tier: str) -> dict[str, tuple[str, ...]]:
        """Why some runs of one suite and tier cannot be trusted, by their ids; one that cannot be read is left out."""
        return runs.reasons(self.reader, self._places(run_ids, suite, tier))

    def windows(self, run_ids: Collection[str]) -> pd.DataFrame:
        """The windows of some runs: run_id, second, seconds, operation, quantity, n, histogram."""
        places = [place for place in self.reader.places(RUNS) if place.name in set(run_ids)]
        return runs.windows(self.reader, places)

    def _places(self, run_ids: Collection[str], suite: str, tier: str) -> list[Place]:
        """Listed once: whoever asks for some runs whole asks for more of them."""
        if (suite, tier) not in self._listed:
            self._listed[suite, tier] = self.reader.places(RUNS, suite, tier)
        wanted = set(run_ids)
        return [place for place in self._listed[suite, tier] if place.name in wanted]

    def _save(self, form: TableForm, path: str, rows: Iterable[Mapping[str, Any]]) -> None:
        try:
            self.storage.write(path, file_of(form, rows))
        except (OSError, ValueError, pa.ArrowException) as error:
            msg = f"{form.name} could not be saved in {self.storage.name}: {reason(error)}"
            raise MeasurementError(msg) from error
