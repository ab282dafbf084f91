"""The block of the summary that says how a run went from its begin to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightbench.measurement import Measurement
from nightbench.report.grouping import TENTHS, spoken
from nightbench.report.layout import Page, count, number

_ROWS = (("p50", "median response time"), ("p95", "P95 response time"), ("throughput", "throughput"))


def print_course(page: Page, measurement: Measurement) -> None:
    """The first and the last tenth of each operation that has them side by side, and what changed between.

    The trend is that of the whole run, with its 95 % interval: by how much a straight line through its parts rises, in
    percent of its level, their median or the mean throughput: what falls steeply may have less than −100 %; see the
    details' `course`.
    """
    metrics = {metric.name: metric for metric in measurement.metrics}
    operations = dict.fromkeys(
        name.partition(".")[0] for name in metrics if name.rpartition(".")[0].endswith(f".{TENTHS[0]}")
    )
    for operation in operations:
        rows = []
        for statistic, label in _ROWS:
            cells = [metrics.get(f"{operation}.{tenth}.{statistic}") for tenth in TENTHS]
            if any(cells):
                values = [number(cell.value, cell.unit) if cell is not None else "–" for cell in cells]
                rows.append([label, *values, _change(measurement.details.get("course"), statistic)])
        counted = [metrics.get(f"{operation}.{tenth}.p95") for tenth in TENTHS]
        rows.append(["operations", *(count(cell.n) if cell is not None else "–" for cell in counted), ""])
        page.line()
        page.table(["Over the run", *map(spoken, TENTHS), "trend, in % of its level"], rows)


def _change(course: Any, statistic: str) -> str:
    """``+12.3 (−4.0 to +30.1)``, nothing where it is not the one that is judged, or unknown."""
    if not isinstance(course, Mapping):
        return ""
    part = course["throughput" if statistic == "throughput" else "response_time"]
    judged = {0.5: "p50", 0.95: "p95"}.get(part.get("quantile"), "throughput")
    trend = part["trend"]
    if judged != statistic or trend is None or trend["estimate"] is None:
        return ""
    low, high = ("?" if bound is None else f"{bound:+.1f}" for bound in (trend["low"], trend["high"]))
    return f"{trend['estimate']:+.1f} ({low} to {high})".replace("-", "−")
