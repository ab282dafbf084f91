"""The blocks of the summary that say what was measured: counts, times and errors."""

from __future__ import annotations

from nightbench.history.record import clean_text
from nightbench.measurement import Measurement
from nightbench.report.grouping import STATISTICS, Grouped, Quantity, part_of, spoken
from nightbench.report.layout import BAD, INDENT, Page, count, number

_PLURALS = {
    "connection": "Connections",
    "reconnection": "Reconnections",
    "greeting": "Greetings",
    "message": "Messages",
    "query": "Queries",
}
_TIMES = {"connection": "Connection time", "message": "Message latency", "query": "Query latency"}
_PARTS = {"query": "statement", "message": "kind"}


_ACCOUNT = ("scheduled", "ok", "failed", "timed_out", "skipped", "in_flight")


def print_operations(page: Page, measurement: Measurement, grouped: Grouped) -> None:
    """A block for each operation: its account, its figures that are no times, the account of its parts."""
    for operation in dict.fromkeys((*_wholes(measurement), *grouped.operations)):
        figures = grouped.figures_of(operation)
        counts = measurement.operations.get(operation)
        if counts is None and not figures:
            continue
        page.heading(plural(operation))
        if counts is not None:
            page.pairs((spoken(name), count(getattr(counts, name))) for name in _ACCOUNT)
        page.pairs(
            (clean_text(figure.label), number(figure.metric.value, figure.metric.unit)) for figure in figures
        )
        _print_parts(page, measurement, operation)


def _wholes(measurement: Measurement) -> list[str]:
    """The operations that are not a part of another, as ``query[expense_listing]`` is of ``query``."""
    return [operation for operation in measurement.operations if part_of(operation) is None]


def _print_parts(page: Page, measurement: Measurement, whole: str) -> None:
    rows = [
        [clean_text(part_of(operation) or ""), *(count(getattr(counts, name)) for name in _ACCOUNT)]
        for operation, counts in measurement.operations.items()
        if part_of(operation) is not None and operation.partition("[")[0] == whole
    ]
    if rows:
        page.line()
        title = f"{plural(whole)} by {_PARTS.get(whole, 'part')}"
        page.table([title, *(spoken(name) for name in _ACCOUNT)], rows)


def print_times(page: Page, grouped: Grouped) -> None:
    """A table for each group of quantities, their statistics side by side."""
    blocks: dict[str, list[tuple[str, Quantity]]] = {}
    for quantity in grouped.quantities:
        title, label = _time_title(quantity)
        blocks.setdefault(title, []).append((label, quantity))
    for title, rows in blocks.items():
        page.line()
        page.table(
            [title, *STATISTICS.values(), "n"],
            [
                [clean_text(label), *(_statistic(quantity, name) for name in STATISTICS), count(quantity.n)]
                for label, quantity in rows
            ],
        )


def _time_title(quantity: Quantity) -> tuple[str, str]:
    """The block that a quantity belongs to, and its label in there."""
    metric = next(iter(quantity.statistics.values()))
    unit = f" ({metric.unit})"
    if quantity.part is not None:
        parts = _PARTS.get(quantity.operation, "part")
        return f"{spoken(quantity.name).capitalize()} by {parts}{unit}", quantity.part
    label = f"{quantity.operation} time" if quantity.name == "time" else spoken(quantity.name)
    return _TIMES.get(quantity.operation, f"{plural(quantity.operation)} times") + unit, label


def _statistic(quantity: Quantity, name: str) -> str:
    metric = quantity.statistics.get(name)
    return number(metric.value if metric else None)


def print_errors(page: Page, measurement: Measurement) -> None:
    """How often each class of error came, the most frequent first."""
    rows = [
        (operation, error, amount)
        for operation in _wholes(measurement)
        for error, amount in measurement.operations[operation].errors.most_common()
    ]
    page.heading("Errors by class")
    if not rows:
        page.line(INDENT, "none")
    for operation, error, amount in rows:
        head = f"{INDENT}{count(amount):>10}  {operation:<12}"
        page.paragraph(error, first=head, rest=" " * len(head), style=BAD)


def plural(operation: str) -> str:
    """What an operation is called in a heading."""
    return _PLURALS.get(operation, spoken(operation).capitalize())
