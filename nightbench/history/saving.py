"""Saving a run: whole or not at all, and elsewhere when the dataset cannot take it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.files import reason, write_whole
from nightbench.history.places import path_of
from nightbench.history.record import JudgedTarget, record, window_record
from nightbench.history.rows import file_of, rows_of_run
from nightbench.history.schema import OF_A_RUN
from nightbench.history.storage import Storage
from nightbench.measurement import Measurement


@dataclass(frozen=True)
class SavedRun:
    """Where a run lies: one file in each table."""

    run_id: str
    paths: tuple[Path | str, ...]


class UnsavedError(MeasurementError):
    """A run that the dataset could not take.

    Attributes:
        kept: The file that it was written to instead, if any.
    """

    def __init__(self, text: str, kept: Path | None) -> None:
        self.kept = kept
        super().__init__(text)


def save(
    storage: Storage, measurement: Measurement, targets: Sequence[JudgedTarget], fallback: Path | None
) -> SavedRun:
    """Write one run; see `HistoryStore.save`."""
    written: list[str] = []
    about = (measurement.run_id, measurement.started_at, measurement.suite, measurement.tier)
    try:
        rows = rows_of_run(measurement, targets)
        for form in OF_A_RUN:
            path = path_of(form, *about)
            storage.write(path, file_of(form, rows[form.name]))
            written.append(path)
    except (OSError, ValueError, pa.ArrowException, ConfigurationError) as error:
        kept, told = _keep(measurement, targets, fallback)
        for path in written:
            with suppress(OSError):  # without its row in `runs` it is no run
                storage.remove(path)
        msg = f"run {measurement.run_id} could not be saved in {storage.name}: {reason(error)}; {told}"
        raise UnsavedError(msg, kept) from error
    return SavedRun(measurement.run_id, tuple(map(storage.location, written)))


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
