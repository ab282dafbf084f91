"""What was told of a night, as it is stored."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nightbench.history.record import clean, clean_text


def stored_alert_rows(alerts: pd.DataFrame) -> list[dict[str, Any]]:
    """The alerts as JSON-like data; `alerts` as `HistoryStore.alerts` gives them."""
    rows: list[dict[str, Any]] = clean(alerts.to_dict("records"))
    return rows


def alert_lines(alerts: pd.DataFrame) -> list[str]:
    """A line each: what it was, what was decided, and what became of it."""
    return [_line(row) for row in stored_alert_rows(alerts)]


def _line(row: dict[str, Any]) -> str:
    state = "" if row["state"] in (None, row["decision"]) else f", {row['state']}"
    reason = f": {row['reason']}" if row["reason"] else ""
    return clean_text(
        f"{row['level']}  {row['title']} ({str(row['decision']).replace('_', ' ')}{state}){reason}"
    )
