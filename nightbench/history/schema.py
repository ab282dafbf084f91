"""The tables of the dataset, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import pyarrow as pa

VERSION = 3
"""Of the dataset, in every row as ``schema_version``: 2 since runs have a role, a block and a fingerprint, 3 since
they have the release of their subject."""

Layout = Literal["run", "month"]
"""Whether the files of a table lie in ``suite=…/tier=…/month=…`` or in ``month=…`` alone."""

INSTANT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class TableForm:
    """One table.

    Attributes:
        name: Also of its folder.
        schema: Its columns; those that its folders name are not in its files.
        younger: The columns that files of an earlier version lack, and what stands for them.
        layout: Where its files lie.
        known: Columns that are never null: what a row without them is about, nobody knows.
        may_be_empty: Whether a file without rows says something.
    """

    name: str
    schema: pa.Schema
    younger: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    layout: Layout = "run"
    known: tuple[str, ...] = ()
    may_be_empty: bool = False


_ROLE: Mapping[str, Any] = MappingProxyType({"role": "night", "block": 1})

RUNS = TableForm(
    "runs",
    pa.schema(
        [
            ("schema_version", pa.int32()),
            ("run_id", pa.string()),
            ("night_id", pa.string()),
            ("environment", pa.string()),
            ("started_at", INSTANT),
            ("duration_s", pa.float64()),
            ("role", pa.string()),
            ("block", pa.int32()),
            ("plan", pa.string()),
            ("plan_hash", pa.string()),
            ("subject", pa.string()),
            ("subject_key", pa.string()),
            ("host", pa.string()),
            ("packages", pa.string()),
            ("fingerprint", pa.string()),
            ("release", pa.string()),
            ("valid", pa.bool_()),
            ("complete", pa.bool_()),
            ("reasons", pa.list_(pa.string())),
            ("operations", pa.string()),
            ("uncounted", pa.string()),
            ("targets", pa.string()),
            ("targets_met", pa.bool_()),
            ("details", pa.string()),
        ]
    ),
    younger=MappingProxyType({**_ROLE, "fingerprint": None, "release": None}),
    known=("run_id", "night_id", "environment", "started_at", "role"),
)
"""One row a run. Columns of nested content hold JSON text."""

METRICS = TableForm(
    "metrics",
    pa.schema(
        [
            ("schema_version", pa.int32()),
            ("run_id", pa.string()),
            ("night_id", pa.string()),
            ("environment", pa.string()),
            ("started_at", INSTANT),
            ("valid", pa.bool_()),
            ("role", pa.string()),
            ("block", pa.int32()),
            ("plan_hash", pa.string()),
            ("subject_key", pa.string()),
            ("fingerprint", pa.string()),
            ("release", pa.string()),
            ("name", pa.string()),
            ("value", pa.float64()),
            ("unit", pa.string()),
            ("n", pa.int64()),
        ]
    ),
    younger=MappingProxyType(
        {**_ROLE, **dict.fromkeys(("plan_hash", "subject_key", "fingerprint", "release"))}
    ),
    known=("night_id", "environment", "started_at", "role", "name"),
)
"""One row a metric, with all of its run that judging needs; a null value is a missing one."""

WINDOWS = TableForm(
    "windows",
    pa.schema(
        [
            ("schema_version", pa.int32()),
            ("run_id", pa.string()),
            ("second", pa.int32()),
            ("seconds", pa.int32()),
            ("operation", pa.string()),
            ("quantity", pa.string()),
            ("n", pa.int64()),
            ("histogram", pa.string()),
        ]
    ),
    younger=MappingProxyType({"seconds": 1}),
    known=("second", "operation", "quantity"),
    may_be_empty=True,
)
"""One row a window, operation and quantity; `histogram` is HdrHistogram V2 in base64, in µs."""

VERDICTS = TableForm(
    "verdicts",
    pa.schema(
        [
            ("schema_version", pa.int32()),
            ("judgement_id", pa.string()),
            ("run_id", pa.string()),
            ("night_id", pa.string()),
            ("environment", pa.string()),
            ("judged_at", INSTANT),
            ("metric", pa.string()),
            ("state", pa.string()),
            ("layer", pa.int32()),
            ("value", pa.float64()),
            ("baseline", pa.float64()),
            ("nights", pa.int32()),
            ("effect", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("p", pa.float64()),
            ("p_adjusted", pa.float64()),
            ("alpha", pa.float64()),
            ("noise", pa.float64()),
            ("detectable", pa.float64()),
            ("floor", pa.float64()),
            ("higher_is_worse", pa.bool_()),
            ("gates", pa.bool_()),
            ("why", pa.string()),
            ("since", pa.string()),
        ]
    ),
    younger=MappingProxyType({"alpha": None, "since": None}),
    known=("judgement_id", "night_id", "environment", "judged_at", "metric", "state"),
)
"""One row a line of a judgement; the last judgement of a night, suite and tier is the one that counts."""

NOISE = TableForm(
    "noise",
    pa.schema(
        [
            ("schema_version", pa.int32()),
            ("noise_id", pa.string()),
            ("environment", pa.string()),
            ("at", INSTANT),
            ("fingerprint", pa.string()),
            ("metric", pa.string()),
            ("runs", pa.int32()),
            ("mean", pa.float64()),
            ("within_sd", pa.float64()),
            ("between_sd", pa.float64()),
        ]
    ),
    known=("noise_id", "environment", "at", "metric"),
)
"""One row a metric of a calibration: how much it differs within a run and between runs of the same build."""

MARKS = TableForm(
    "marks",
    pa.schema(
        [
            ("schema_version", pa.int32()),
            ("mark_id", pa.string()),
            ("kind", pa.string()),
            ("environment", pa.string()),
            ("suite", pa.string()),
            ("tier", pa.string()),
            ("run_id", pa.string()),
            ("night_id", pa.string()),
            ("metrics", pa.list_(pa.string())),
            ("who", pa.string()),
            ("why", pa.string()),
            ("at", INSTANT),
            ("until", INSTANT),
        ]
    ),
    layout="month",
    known=("mark_id", "kind", "environment", "suite", "tier", "night_id", "at"),
)
"""One row a statement of somebody about a run; none is ever changed."""

ALERTS = TableForm(
    "alerts",
    pa.schema(
        [
            ("schema_version", pa.int32()),
            ("night_id", pa.string()),
            ("run_id", pa.string()),
            ("environment", pa.string()),
            ("kind", pa.string()),
            ("suite", pa.string()),
            ("tier", pa.string()),
            ("metric", pa.string()),
            ("level", pa.string()),
            ("title", pa.string()),
            ("decision", pa.string()),
            ("event_id", pa.string()),
            ("state", pa.string()),
            ("reason", pa.string()),
            ("at", INSTANT),
        ]
    ),
    layout="month",
    known=("night_id", "environment", "kind", "suite", "tier", "metric", "at"),
)
"""One row an alert of a night, and one more whenever something else became of it; the last one counts."""

OF_A_RUN = (METRICS, WINDOWS, RUNS)
"""In the order of writing: a run exists when its row in ``runs`` does."""

FORMS = (*OF_A_RUN, VERDICTS, NOISE, MARKS, ALERTS)
