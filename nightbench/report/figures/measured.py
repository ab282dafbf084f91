"""The metrics of a stored run by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from nightbench.history.runs import StoredRun


@dataclass(frozen=True)
class Measured:
    """Values of metrics.

    Attributes:
        values: By name, those alone that are known.
        samples: How many are behind each metric.
    """

    values: Mapping[str, float]
    samples: Mapping[str, int]

    @classmethod
    def of(cls, run: StoredRun) -> Self:
        """Those of a run."""
        rows = list(run.metrics[["name", "value", "n"]].itertuples(index=False, name=None))
        return cls(
            {
                str(name): float(value)
                for name, value, _ in rows
                if value is not None and math.isfinite(value)
            },
            {str(name): int(n) for name, _, n in rows},
        )

    def value(self, metric: str) -> float | None:
        """In its unit; None when it is missing."""
        return self.values.get(metric)
