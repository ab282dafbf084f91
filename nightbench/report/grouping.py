"""Metrics as a reader looks for them: by operation, then times in rows and single figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nightbench.measurement import Metric

STATISTICS: Mapping[str, str] = MappingProxyType(
    {"min": "min", "mean": "mean", "p50": "median", "p95": "P95", "p99": "P99", "max": "max"}
)
"""The statistics of a quantity in the order of the columns, and their titles."""

TENTHS = ("first_tenth", "last_tenth")
"""Quantities of the begin and the end of a run, which stand side by side in a block of their own."""

_NAME = re.compile(r"(?P<operation>[^.\[]+)(?:\[(?P<part>[^\]]*)\])?\.(?P<rest>.+)", re.DOTALL)


@dataclass(frozen=True)
class Quantity:
    """One quantity with its statistics: a row of a table."""

    operation: str
    part: str | None
    name: str
    statistics: Mapping[str, Metric]

    @property
    def n(self) -> int:
        """Samples behind the statistics."""
        return max(metric.n for metric in self.statistics.values())


@dataclass(frozen=True)
class Figure:
    """A metric that stands for itself."""

    operation: str
    part: str | None
    label: str
    metric: Metric


@dataclass(frozen=True)
class Grouped:
    """All metrics of a measurement, none lost and none twice."""

    quantities: tuple[Quantity, ...]
    figures: tuple[Figure, ...]

    @property
    def operations(self) -> tuple[str, ...]:
        """Every operation that has a metric, in the order of the metrics."""
        named = [figure.operation for figure in self.figures]
        return tuple(dict.fromkeys([*named, *(quantity.operation for quantity in self.quantities)]))

    @property
    def rates(self) -> tuple[Figure, ...]:
        """What happens per second, of whole operations."""
        return tuple(figure for figure in self.figures if figure.part is None and _is_rate(figure))

    def figures_of(self, operation: str) -> tuple[Figure, ...]:
        """The figures of an operation, but its rates and those of its parts and of its tenths."""
        whole = (each for each in self.figures if each.operation == operation and each.part is None)
        return tuple(figure for figure in whole if not _is_rate(figure) and not _is_of_a_tenth(figure))

    def figures_of_parts(self, operation: str) -> Mapping[str, Mapping[str, Metric]]:
        """The figures of each part of an operation, rates among them, by their labels."""
        parts: dict[str, dict[str, Metric]] = {}
        for figure in self.figures:
            if figure.operation == operation and figure.part is not None:
                parts.setdefault(figure.part, {})[figure.label] = figure.metric
        return parts


def group(metrics: Iterable[Metric]) -> Grouped:
    """Sort metrics by what their names say.

    A quantity of at least three statistics becomes a row; everything else, of whatever name, a figure.
    """
    rows: dict[tuple[str, str | None, str], dict[str, Metric]] = {}
    figures: list[Figure] = []
    for metric in metrics:
        operation, part, quantity, statistic = _split(metric.name)
        if statistic in STATISTICS and quantity:
            rows.setdefault((operation, part, quantity), {})[statistic] = metric
        else:
            figures.append(Figure(operation, part, _label(quantity, statistic), metric))
    quantities = []
    for (operation, part, quantity), row in rows.items():
        if len(row) >= 3:
            quantities.append(Quantity(operation, part, quantity, row))
            continue
        for statistic, metric in row.items():
            figures.append(Figure(operation, part, _label(quantity, STATISTICS[statistic]), metric))
    return Grouped(tuple(quantities), tuple(figures))


def part_of(operation: str) -> str | None:
    """The part that an operation stands for: ``expense_listing`` of ``query[expense_listing]``."""
    found = re.fullmatch(r"[^\[]+\[(?P<part>.*)\]", operation, re.DOTALL)
    return found["part"] if found else None


def spoken(name: str) -> str:
    """A name as it is read: without underscores and dots."""
    return name.replace("_", " ").replace(".", " ")


def _split(name: str) -> tuple[str, str | None, str, str]:
    """Operation, its part in brackets, quantity and the last piece."""
    found = _NAME.fullmatch(name)
    if found is None:
        return "other", None, "", name
    quantity, _, last = found["rest"].rpartition(".")
    return found["operation"], found["part"], quantity, last


def _label(quantity: str, last: str) -> str:
    return " ".join(spoken(piece) for piece in (quantity, last) if piece)


def _is_rate(figure: Figure) -> bool:
    return figure.metric.unit == "1/s" and not _is_of_a_tenth(figure)


def _is_of_a_tenth(figure: Figure) -> bool:
    return any(f".{tenth}." in figure.metric.name for tenth in TENTHS)
