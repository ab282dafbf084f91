"""The dataset under one folder: each run saved whole or not at all, and earlier runs read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nightbench.errors import MeasurementError
from nightbench.files import check_writable, reason, write_whole
from nightbench.history.reading import (
    Place,
    UnreadableError,
    UnreadableFile,
    check_footer,
    files_of,
    place_of,
    read_rows,
)
from nightbench.history.record import JudgedTarget, record, window_record
from nightbench.history.schema import TABLES, tables_of
from nightbench.measurement import Measurement

_PAST_COLUMNS = ["run_id", "night_id", "started_at", "plan_hash", "subject_key", "name", "value", "unit", "n"]


@dataclass(frozen=True)
class SavedRun:
    """Where a run lies: one file in each table."""

    run_id: str
    paths: tuple[Path, ...]


class UnsavedError(MeasurementError):
    """A run that the dataset could not take.

    Attributes:
        kept: The file that it was written to instead, if any.
    """

    def __init__(self, text: str, kept: Path | None) -> None:
        self.kept = kept
        super().__init__(text)


class HistoryStore:
    """All runs under `root`, in the tables ``runs``, ``metrics`` and ``windows``.

    A run exists when its file in ``runs`` does, which is written last; what a crash left of the other two
    tables is never read as part of the history.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unreadable: dict[Path, str] = {}

    def check_writable(self) -> None:
        """Try to write, in the folder and in every table that is already there.

        Raises:
            ConfigurationError: naming the setting ``results`` and the folder.
        """
        check_writable("results", self.root)
        for name in TABLES:
            if (self.root / name).exists():
                check_writable("results", self.root / name)

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
            UnsavedError: when it could not be saved, naming the folder and where the run was kept.
        """
        written: list[Path] = []
        try:
            for name, table in tables_of(measurement, targets).items():
                path = self._path(name, measurement)
                write_whole(path, lambda file, table=table: _write_parquet(table, file))  # type: ignore[misc]
                written.append(path)
        except (OSError, pa.ArrowException) as error:
            kept, told = _keep(measurement, targets, fallback)
            for path in written:
                with suppress(OSError):  # without its row in `runs` it is no run
                    path.unlink()
            msg = f"run {measurement.run_id} could not be saved in {self.root}: {reason(error)}; {told}"
            raise UnsavedError(msg, kept) from error
        return SavedRun(measurement.run_id, tuple(written))

    def past_metrics(self, suite: str, tier: str, environment: str) -> pd.DataFrame:
        """The metrics of all valid runs of a suite, tier and environment, oldest run first.

        Returns:
            One row a metric: run_id, night_id, started_at (UTC), plan_hash, subject_key, name,
            value (NaN when missing), unit, n.
        """
        runs = self._read("runs", suite, tier)
        metrics = self._read("metrics", suite, tier)
        self._look_at("windows", suite, tier)
        self._note_incomplete(suite, tier)
        valid = runs[runs["valid"].eq(other=True) & runs["environment"].eq(environment)]
        known = valid[["run_id", "plan_hash", "subject_key"]].drop_duplicates("run_id")
        past = metrics.merge(known, on="run_id", how="inner")
        return past.sort_values(["started_at", "run_id"], kind="stable")[_PAST_COLUMNS].reset_index(drop=True)

    @property
    def unreadable(self) -> list[UnreadableFile]:
        """The files that this store came across and had to skip: torn, foreign, or of a newer version."""
        return [UnreadableFile(path, problem) for path, problem in sorted(self._unreadable.items())]

    def _path(self, table: str, measurement: Measurement) -> Path:
        month = f"{measurement.started_at.astimezone(UTC):%Y-%m}"
        folder = (
            self.root / table / f"suite={measurement.suite}" / f"tier={measurement.tier}" / f"month={month}"
        )
        return folder / f"{measurement.run_id}.parquet"

    def _read(self, table: str, suite: str, tier: str) -> pd.DataFrame:
        schema = TABLES[table]
        parts = []
        for place in self._places(table, suite, tier):
            try:
                parts.append(read_rows(place.path, schema))
            except UnreadableError as error:
                self._unreadable[place.path] = str(error)
        frame: pd.DataFrame = pa.concat_tables([schema.empty_table(), *parts]).to_pandas()
        return frame

    def _look_at(self, table: str, suite: str, tier: str) -> None:
        for place in self._places(table, suite, tier):
            try:
                check_footer(place.path, TABLES[table])
            except UnreadableError as error:
                self._unreadable[place.path] = str(error)

    def _note_incomplete(self, suite: str, tier: str) -> None:
        """A run without its metrics, which a save never leaves, is not passed over in silence."""
        for place in self._places("runs", suite, tier):
            metrics = self.root / "metrics" / place.path.relative_to(self.root / "runs")
            if not metrics.exists():
                self._unreadable.setdefault(place.path, f"its metrics are gone: there is no {metrics}")

    def _places(self, table: str, suite: str, tier: str) -> list[Place]:
        """The files of a table for one suite and tier; those that lie elsewhere are noted as unreadable."""
        places = []
        for path in files_of(self.root / table):
            try:
                place = place_of(self.root / table, path)
            except UnreadableError as error:
                self._unreadable[path] = str(error)
                continue
            if (place.suite, place.tier) == (suite, tier):
                places.append(place)
        return places


def _write_parquet(table: pa.Table, file: object) -> None:
    # a histogram is different in every row: a dictionary would only be a second copy, and the statistics
    # of the column two more of the largest
    others = [name for name in table.schema.names if name != "histogram"]
    pq.write_table(
        table,
        file,
        compression="zstd",
        compression_level=9,
        use_dictionary=others,
        write_statistics=others,
    )


def _keep(
    measurement: Measurement, targets: Sequence[JudgedTarget], fallback: Path | None
) -> tuple[Path | None, str]:
    """Write the run as one JSON document and say where; say so too when that failed."""
    if fallback is None:
        return None, "it was not kept elsewhere"
    document = record(measurement, targets)
    document["windows"] = [window_record(window) for window in measurement.windows]
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    path = fallback / f"{measurement.run_id}.json"
    try:
        write_whole(path, lambda file: file.write(text.encode()))
    except OSError as error:
        return None, f"nor could it be kept in {fallback}: {reason(error)}"
    return path, f"it was kept as {path}"
