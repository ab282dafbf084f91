"""What was told of each night, and what became of it: the table ``alerts``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from nightbench.history.reader import Reader
from nightbench.history.record import clean
from nightbench.history.schema import ALERTS, INSTANT

_ALERT = ["night_id", "kind", "suite", "tier", "metric", "event_id", "decision"]
"""What tells one alert of a night from another."""


def rows_of_alerts(rows: Iterable[Mapping[str, Any]], at: datetime) -> list[dict[str, Any]]:
    """Rows of the table, their texts cleaned, as they are known at an instant."""
    names = [name for name in ALERTS.schema.names if name not in ("schema_version", "at")]
    return [{**{name: clean(row.get(name)) for name in names}, "at": at} for row in rows]


def alerts(
    reader: Reader, environment: str | None, night: str | None, since: datetime | None
) -> pd.DataFrame:
    """The last row of each alert, in the order in which they were decided.

    Args:
        reader: Of the dataset.
        environment: Of the nights; None for all.
        night: Only this one, by its id.
        since: Only what was written in the month of this instant or later.
    """
    month = "" if since is None else f"{since.astimezone(UTC):%Y-%m}"
    places = [place for place in reader.places(ALERTS) if place.month >= month]
    tables = [ALERTS.schema.empty_table(), *(table for _, table in reader.tables(ALERTS, places))]
    found: pd.DataFrame = pa.concat_tables(tables).to_pandas().drop(columns="schema_version")
    found["at"] = found["at"].astype(INSTANT.to_pandas_dtype())
    if environment is not None:
        found = found[found["environment"].eq(environment)]
    if night is not None:
        found = found[found["night_id"].eq(night)]
    ordered = found.sort_values("at", kind="stable", ignore_index=True)
    decided = ordered.groupby(_ALERT, sort=False, dropna=False)["at"].transform("idxmin")
    last = ~ordered.duplicated(_ALERT, keep="last")
    order = decided[last].sort_values(kind="stable").index
    return ordered.loc[order].astype(object).where(ordered.notna(), None).reset_index(drop=True)
