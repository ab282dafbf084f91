"""What was judged and calibrated, as rows of the dataset: the tables ``verdicts`` and ``noise``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from nightbench.history.reader import Reader
from nightbench.history.reading import part_of
from nightbench.history.record import clean, clean_text
from nightbench.history.schema import NOISE, VERDICTS, TableForm
from nightbench.measurement import new_id

_JUDGEMENT = ("judgement_id", "night_id", "environment", "judged_at")

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Scope:
    """What is asked for; None stands for all."""

    environment: str | None
    suite: str | None
    tier: str | None


def rows_of_lines(
    frame: pd.DataFrame,
    *,
    environment: str,
    night_id: str,
    run_ids: Mapping[str, str],
    judged_at: datetime,
) -> Iterable[tuple[str, str, str, Rows]]:
    """The rows of each suite and tier of a judgement: suite, tier, id of the judgement, rows."""
    for suite, tier, lines in _groups(frame):
        judgement_id = new_id(f"{tier}-{suite}", judged_at)
        shared = {
            "judgement_id": judgement_id,
            "run_id": clean_text(run_ids.get(suite, "")),
            "night_id": clean_text(night_id),
            "environment": clean_text(environment),
            "judged_at": judged_at,
        }
        yield suite, tier, judgement_id, _rows(lines, VERDICTS, shared)


def rows_of_noise(
    frame: pd.DataFrame, *, environment: str, at: datetime, fingerprint: str
) -> Iterable[tuple[str, str, str, Rows]]:
    """The rows of each suite and tier of a calibration: suite, tier, id, rows."""
    for suite, tier, lines in _groups(frame):
        noise_id = new_id(f"{tier}-{suite}", at)
        shared = {
            "noise_id": noise_id,
            "environment": clean_text(environment),
            "at": at,
            "fingerprint": fingerprint,
        }
        yield suite, tier, noise_id, _rows(lines, NOISE, shared)


def lines(reader: Reader, scope: Scope, columns: Sequence[str] | None) -> pd.DataFrame:
    """The lines of the last judgement of each night, suite and tier, in the order of the judgements."""
    found = _read(reader, VERDICTS, scope, _with(columns, _JUDGEMENT))
    found = _last(found, ["night_id", "suite", "tier"], "judged_at", "judgement_id")
    return found.rename(columns={"night_id": "night"})


def noise(reader: Reader, scope: Scope) -> pd.DataFrame:
    """The rows of the last calibration of each suite, tier and fingerprint."""
    found = _read(reader, NOISE, scope)
    return _last(found, ["suite", "tier", "fingerprint"], "at", "noise_id")


def _groups(frame: pd.DataFrame) -> Iterable[tuple[str, str, pd.DataFrame]]:
    for (suite, tier), lines in frame.groupby(["suite", "tier"], sort=False):
        yield str(suite), str(tier), lines


def _rows(frame: pd.DataFrame, form: TableForm, shared: Mapping[str, Any]) -> Rows:
    """The rows of a frame; a column that the table does not have would be lost and is an error of nightbench.

    Raises:
        ValueError: naming it.
    """
    known = {*form.schema.names, "suite", "tier"}
    if strange := [name for name in frame.columns if name not in known]:
        msg = f"the table {form.name} has no column {', '.join(map(str, strange))}"
        raise ValueError(msg)
    own = [name for name in frame.columns if name in form.schema.names]
    whole = {name for name in own if pa.types.is_integer(form.schema.field(name).type)}
    rows = frame[own].astype(object).where(frame[own].notna(), None).itertuples(index=False, name=None)
    return [
        {**shared, **{name: _value(name in whole, value) for name, value in zip(own, row, strict=True)}}
        for row in rows
    ]


def _value(whole: bool, value: Any) -> Any:
    """A frame makes floats of integers where some are missing."""
    return int(value) if whole and value is not None else clean(value)


def _with(columns: Sequence[str] | None, needed: Sequence[str]) -> tuple[str, ...] | None:
    return None if columns is None else tuple(dict.fromkeys((*needed, *columns)))


def _read(
    reader: Reader, form: TableForm, scope: Scope, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    schema = part_of(form, columns)
    parts = [
        schema.empty_table()
        .append_column("suite", [pa.array([], pa.string())])
        .append_column("tier", [pa.array([], pa.string())])
    ]
    for place, table in reader.tables(form, reader.places(form, scope.suite, scope.tier), columns):
        for name in ("suite", "tier"):
            table = table.append_column(name, pa.repeat(pa.scalar(getattr(place, name)), len(table)))  # noqa: PLW2901
        parts.append(table)
    found: pd.DataFrame = pa.concat_tables(parts).to_pandas()
    if scope.environment is not None:
        found = found[found["environment"].eq(scope.environment)]
    return found.drop(columns="schema_version", errors="ignore")


def _last(frame: pd.DataFrame, group: list[str], at: str, name: str) -> pd.DataFrame:
    """Of each group the rows that were written last, together."""
    ordered = frame.sort_values([at, name], kind="stable", ignore_index=True)
    last = ordered.groupby(group, sort=False, dropna=False)[name].transform("last")
    return ordered[ordered[name].eq(last)].reset_index(drop=True)
