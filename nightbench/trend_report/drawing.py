"""A figure as the page has it: text already, small to send to another process and to keep in a file."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nightbench.report.charts.figure import Figure


@dataclass(frozen=True)
class Drawing:
    """A `Figure` under its anchor.

    Attributes:
        anchor: Names it on the page.
        title, alt: Of the figure.
        spec: Vega-Lite without its data, as JSON.
        data: Its sets of data by name, each ``{"keys": […], "columns": [[…], …]}``.
        table: ``{"head": […], "columns": [[…], …]}``.
    """

    anchor: str
    title: str
    alt: str
    spec: str = field(repr=False)
    data: str = field(repr=False)
    table: str = field(repr=False)


def drawing_of(anchor: str, figure: Figure) -> Drawing:
    """The figure as text."""
    sets = figure.spec["datasets"]
    return Drawing(
        anchor=anchor,
        title=figure.title,
        alt=figure.alt,
        spec=_json({name: part for name, part in figure.spec.items() if name != "datasets"}),
        data=_json({name: _columns(rows) for name, rows in sets.items()}),
        table=_json({"head": figure.table.head, "columns": list(zip(*figure.table.rows, strict=True))}),
    )


def packed(drawings: Iterable[Drawing]) -> str:
    """All of them as JSON, compressed, in letters: ``names``, ``specs``, ``data`` and ``tables``, in the same order.

    What is alike stands together, as the compression looks back no further than 32 KiB.
    """
    known = list(drawings)
    parts = {
        "names": _json([each.anchor for each in known]),
        "specs": f"[{','.join(each.spec for each in known)}]",
        "data": f"[{','.join(each.data for each in known)}]",
        "tables": f"[{','.join(each.table for each in known)}]",
    }
    whole = ",".join(f'"{name}":{part}' for name, part in parts.items())
    return base64.b64encode(gzip.compress(f"{{{whole}}}".encode(), 9, mtime=0)).decode()


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """By column, which is packed into half of what rows are."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return {"keys": keys, "columns": [[row.get(key) for row in rows] for key in keys]}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
