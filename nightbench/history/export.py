"""The dataset, or a part of it, as files for other tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Literal, get_args

import pandas as pd

from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.files import reason, write_whole
from nightbench.history.filters import RunFilter
from nightbench.history.marks import Mark, row_of
from nightbench.history.storage import Folder
from nightbench.measurement import Role
from nightbench.scrub import scrub

if TYPE_CHECKING:
    from nightbench.history.store import HistoryStore

ExportForm = Literal["csv", "json", "parquet"]

_ALL = RunFilter()


@dataclass(frozen=True)
class Exported:
    """One file that was written, and how many rows it has."""

    path: Path
    rows: int


def export(
    store: HistoryStore, target: Path, *, form: ExportForm | None = None, chosen: RunFilter = _ALL
) -> list[Exported]:
    """Write what is stored about the chosen runs.

    Args:
        store: The dataset.
        target: A file that ends in ``.csv``, ``.json`` or ``.parquet``: one row a metric. Without an
            ending, or where there is one already, it is a folder: one file each of runs, metrics, windows, verdicts,
            marks, alerts and noise.
        form: Of the files of a folder, ``parquet`` unless given; of a file its ending says it.
        chosen: Which runs; verdicts, marks and alerts are those of their nights, noise that of their environments.

    Returns:
        The files; JSON is a list of objects, instants are ISO 8601 in UTC, lists are JSON text in CSV.

    Raises:
        ValueError: when `form` is not that of the file's ending.
        ConfigurationError: when the target lies in the dataset, or has another ending.
        MeasurementError: when a file cannot be written.
    """
    _check_elsewhere(store, target)
    ending = target.suffix.lower().removeprefix(".")
    if ending not in get_args(ExportForm):
        _check_folder(target)
        kind = form or "parquet"
        tables = _tables(store, store.runs(chosen), chosen)
        return [_written(target / f"{name}.{kind}", frame(), kind) for name, frame in tables.items()]
    if form not in (None, ending):
        msg = f"{target.name} does not end in .{form}"
        raise ValueError(msg)
    kind = next(each for each in _WRITERS if each == ending)
    return [_written(target, _metrics(store, store.runs(chosen), chosen), kind)]


def _check_folder(target: Path) -> None:
    """A file of a form that there is not would else be a folder of that name."""
    if target.suffix and not target.is_dir():
        way_out = "end it in .csv, .json or .parquet, or name a folder that has no ending"
        raise ConfigurationError("TARGET", scrub(str(target)), f"ends in {scrub(target.suffix)}", way_out)


def _check_elsewhere(store: HistoryStore, target: Path) -> None:
    storage = store.storage
    if isinstance(storage, Folder) and target.resolve().is_relative_to(storage.root.resolve()):
        problem = f"lies in the dataset {storage.name}, whose readers would meet it"
        raise ConfigurationError("TARGET", scrub(str(target)), problem, "name a place elsewhere")


def _tables(
    store: HistoryStore, runs: pd.DataFrame, chosen: RunFilter
) -> dict[str, Callable[[], pd.DataFrame]]:
    """What fills each file; one is in memory at a time."""
    return {
        "runs": lambda: runs,
        "metrics": lambda: _metrics(store, runs, chosen),
        "windows": lambda: store.windows(set(runs["run_id"])),
        "verdicts": lambda: _of(store.lines(None), runs, ["environment", "suite", "tier", "night"]),
        "marks": lambda: _of(_marks(store), runs, ["environment", "suite", "tier", "night"]),
        "alerts": lambda: _of(
            store.alerts().rename(columns={"night_id": "night"}), runs, ["environment", "night"]
        ),
        "noise": lambda: _of(store.noise(None), runs, ["environment", "suite", "tier"]),
    }


def _metrics(store: HistoryStore, runs: pd.DataFrame, chosen: RunFilter) -> pd.DataFrame:
    roles: tuple[Role, ...] = get_args(Role)
    found = store.nights(None, suite=chosen.suite, tier=chosen.tier, roles=roles)
    return found[found["run_id"].isin(runs["run_id"])].reset_index(drop=True)


def _marks(store: HistoryStore) -> pd.DataFrame:
    names = ["night" if name == "night_id" else name for name in Mark.__dataclass_fields__]
    rows = [list(row_of(mark).values()) for mark in store.marks()]
    return pd.DataFrame(rows, columns=names)


def _of(frame: pd.DataFrame, runs: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The rows that are about any of `runs`."""
    known = set(runs.rename(columns={"night_id": "night"})[key].itertuples(index=False, name=None))
    about = [row in known for row in frame[key].itertuples(index=False, name=None)]
    return frame[pd.Series(about, index=frame.index, dtype=bool)].reset_index(drop=True)


def _written(path: Path, frame: pd.DataFrame, kind: ExportForm) -> Exported:
    try:
        write_whole(path, partial(_WRITERS[kind], frame))
    except OSError as error:
        msg = f"{path} could not be written: {reason(error)}"
        raise MeasurementError(msg) from error
    return Exported(path, len(frame))


def _csv(frame: pd.DataFrame, file: IO[bytes]) -> None:
    lists = [name for name in frame.columns if name in _LISTS]
    texts = {
        name: frame[name].map(lambda items: json.dumps(list(items), ensure_ascii=False)) for name in lists
    }
    frame = frame.assign(**texts, **_instants(frame))
    file.write(frame.to_csv(index=False, lineterminator="\n").encode())


def _json(frame: pd.DataFrame, file: IO[bytes]) -> None:
    text = frame.assign(**_instants(frame)).to_json(orient="records", force_ascii=False)
    file.write(text.encode())


def _parquet(frame: pd.DataFrame, file: IO[bytes]) -> None:
    lists = {name: frame[name].map(list) for name in frame.columns if name in _LISTS}
    frame.assign(**lists).to_parquet(file, index=False)


def _instants(frame: pd.DataFrame) -> dict[str, pd.Series[str]]:
    """The columns of instants as text; one that is missing stays so."""
    return {
        str(name): frame[name].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for name in frame.select_dtypes("datetimetz").columns
    }


_LISTS = ("reasons", "metrics")
_WRITERS: Mapping[ExportForm, Callable[[pd.DataFrame, IO[bytes]], None]] = MappingProxyType(
    {"csv": _csv, "json": _json, "parquet": _parquet}
)
