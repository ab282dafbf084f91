"""One run as plain data: what the JSON document and the Parquet dataset both hold."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel

from nightbench.load.ledger import OperationCounts
from nightbench.measurement import SCHEMA, Measurement, Window
from nightbench.scrub import scrub, scrub_own_tree, scrub_tree
from nightbench.visible import visible

_LONGEST_TEXT = 2048
"""Characters of one text of a plan, past which it is stored by its digest: a run's files stay small."""
_SHOWN_OF_TEXT = 200


class JudgedTarget(Protocol):
    """A promise and what came of it, as `nightbench.verdict.targets.TargetResult` is."""

    @property
    def metric(self) -> str: ...
    @property
    def op(self) -> str: ...
    @property
    def limit(self) -> float: ...
    @property
    def value(self) -> float | None: ...
    @property
    def met(self) -> bool: ...
    @property
    def upper(self) -> float | None: ...
    @property
    def inclusive(self) -> str | None: ...


def record(measurement: Measurement, targets: Sequence[JudgedTarget]) -> dict[str, Any]:
    """Everything about a run but its windows, as JSON-like data: what ``--json`` prints too.

    A missing value is null, never NaN; every string has passed the scrubber. Times in ms, durations in s,
    instants in UTC as ISO 8601.
    """
    validity = measurement.validity
    content: dict[str, Any] = clean(
        {
            "schema": SCHEMA,
            "run_id": measurement.run_id,
            "night_id": measurement.night_id,
            "suite": measurement.suite,
            "tier": measurement.tier,
            "environment": measurement.environment,
            "release": None,
            "role": measurement.role,
            "block": measurement.block,
            "started_at": measurement.started_at,
            "duration": measurement.duration,
            "plan": None,
            "subject": None,
            "host": None,
            "validity": {
                "valid": validity.valid and validity.complete,
                "complete": validity.complete,
                "reasons": validity.reasons,
            },
            "operations": _accounts(measurement.operations),
            "uncounted": _accounts(measurement.uncounted),
            "metrics": [asdict(metric) for metric in measurement.metrics],
            "targets": [judged(target) for target in targets],
            "details": None,
        }
    )
    own = {  # which keep their places among the others
        "release": measurement.release,
        "plan": _shortened(measurement.plan.model_dump(mode="json")),
        "subject": measurement.subject,
        "host": measurement.host,
        "details": measurement.details,
    }
    return {**content, **clean_own(own)}


def judged(target: JudgedTarget) -> dict[str, Any]:
    """One target as the document has it; `upper` and `inclusive` where it is a range, whose `limit` is the lower."""
    upper = {} if target.upper is None else {"upper": target.upper, "inclusive": target.inclusive}
    return {
        "metric": target.metric,
        "op": target.op,
        "limit": target.limit,
        **upper,
        "value": target.value,
        "met": target.met,
    }


def window_record(window: Window) -> dict[str, Any]:
    """One window with its histogram as text."""
    return {**asdict(window), "histogram": bytes(window.histogram).decode("ascii")}


def clean(value: Any) -> Any:
    """`value` as JSON has it: scrubbed, NaN and infinity as None, odd types as text."""
    return scrub_tree(_json_like(value))


def clean_own(value: Any) -> Any:
    """The same of what a user configured or a statement of his plan: two hosts stay two, literals stay."""
    return scrub_own_tree(_json_like(value))


def clean_windows(rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Rows of windows as JSON has them: scrubbed but for the histograms, whose Base64 may look like anything."""
    return [{**clean({**row, "histogram": None}), "histogram": row["histogram"]} for row in rows]


def clean_text(text: str) -> str:
    """`text` scrubbed and without control characters, with what UTF-8 cannot say replaced."""
    return scrub(visible(_sayable(text)))


def _shortened(value: Any) -> Any:
    """The same with long texts, such as templates of messages, by their beginning, length and SHA-256."""
    match value:
        case str() if len(value) > _LONGEST_TEXT:
            digest = hashlib.sha256(_sayable(value).encode()).hexdigest()
            return f"{value[:_SHOWN_OF_TEXT]}… ({len(value)} characters, sha256 {digest})"
        case dict():
            return {key: _shortened(item) for key, item in value.items()}
        case list():
            return [_shortened(item) for item in value]
        case _:
            return value


def _accounts(accounts: Mapping[str, OperationCounts]) -> dict[str, Any]:
    # not asdict: it makes a Counter count the pairs of its copy
    return {
        operation: {each.name: getattr(counts, each.name) for each in fields(counts)}
        for operation, counts in accounts.items()
    }


def _json_like(value: Any) -> Any:  # noqa: C901, PLR0911  # one case a type
    match value:
        case None | bool():
            return value
        case str() if type(value) is str:
            return _sayable(value)
        case Enum():
            return _json_like(value.value)
        case int() | np.integer():
            return int(value)
        case float() | np.floating():
            return float(value) if math.isfinite(value) else None
        case BaseModel():
            return _json_like(value.model_dump(mode="json"))
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        case bytes():
            return value.decode("utf-8", "replace")
        case np.ndarray():
            return _json_like(value.tolist())
        case Mapping():
            return {_sayable(str(key)): _json_like(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_json_like(item) for item in value]
        case _:
            return _sayable(str(value))


def _sayable(text: str) -> str:
    """Lone surrogates, which neither Parquet nor a terminal takes, become question marks."""
    return text.encode("utf-8", "replace").decode()
