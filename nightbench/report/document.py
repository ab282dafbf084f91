"""The JSON document of a suite: what ``--json`` prints, the same content that the Parquet holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from nightbench.history.record import record
from nightbench.measurement import Measurement
from nightbench.verdict.targets import TargetResult


def document(measurement: Measurement, targets: Sequence[TargetResult]) -> dict[str, Any]:
    """One suite as JSON-like data.

    A missing value is null, never NaN; every string has passed the scrubber. Times in ms, durations in s,
    instants in UTC as ISO 8601.
    """
    return record(measurement, targets)


def document_text(content: dict[str, Any], *, indent: int | None = None) -> str:
    """A document as text that every JSON parser takes: ASCII only, no NaN."""
    return json.dumps(content, ensure_ascii=True, allow_nan=False, indent=indent)
