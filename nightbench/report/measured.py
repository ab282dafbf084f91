"""The blocks of the summary that say what was measured: counts, times and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from nightbench.history.record import clean_text
from nightbench.measurement import Measurement, Metric
from nightbench.report.grouping import STATISTICS, Grouped, Quantity, part_of, spoken
from nightbench.report.layout import BAD, GAP, INDENT, UNSURE, Page, count, number

_PLURALS = {
    "connection": "Connections",
    "reconnection": "Reconnections",
    "greeting": "Greetings",
    "message": "Messages",
    "query": "Queries",
}
_TIMES = {
    "connection": "Connection time",
    "reconnection": "Reconnection time",
    "greeting": "Greeting time",
    "message": "Message latency",
    "query": "Query latency",
}
_PARTS = {"query": "statement", "message": "kind"}
_CLASSES = {
    "lost": "Lost connections by class",
    "stray": "Stray messages by class",
    "leaks": "Rows that probes got at, by what leaked",
    "failed_probes": "Failed probes by class",
    "warmup_errors": "Errors of the warm-up by class",
}
"""What the details of a measurement count by class."""

_ACCOUNT = ("scheduled", "ok", "failed", "timed_out", "skipped", "in_flight")


def print_operations(page: Page, measurement: Measurement, grouped: Grouped) -> None:
    """A block for each operation: its account, its figures that are no times, the account of its parts."""
    for operation in dict.fromkeys((*_wholes(measurement), *grouped.operations)):
        figures = grouped.figures_of(operation)
        counts = measurement.operations.get(operation)
        parts = grouped.figures_of_parts(operation)
        known = any(figure.metric.value is not None for figure in figures)
        if counts is None and not known and not parts:
            continue
        page.heading(plural(operation))
        if counts is not None:
            page.pairs((spoken(name), count(getattr(counts, name))) for name in _ACCOUNT)
        page.pairs((clean_text(figure.label), _figure(figure.metric)) for figure in figures)
        _print_parts(page, measurement, operation)
        _print_figures_of_parts(page, operation, parts)


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
        page.table([_by_part(whole), *(spoken(name) for name in _ACCOUNT)], rows)


def _print_figures_of_parts(page: Page, whole: str, parts: Mapping[str, Mapping[str, Metric]]) -> None:
    if not parts:
        return
    page.line()
    labels = list(dict.fromkeys(label for figures in parts.values() for label in figures))
    page.table(
        [f"Rates by {_PARTS.get(whole, 'part')}", *map(clean_text, labels)],
        [
            [clean_text(part), *(_figure(figures[label]) if label in figures else "" for label in labels)]
            for part, figures in parts.items()
        ],
    )


def _figure(metric: Metric) -> str:
    return number(metric.value, metric.unit)


def _by_part(whole: str) -> str:
    return f"{plural(whole)} by {_PARTS.get(whole, 'part')}"


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
    """How often each class of error came, of lost connections and of stray messages: the most frequent first."""
    rows = [
        (amount, operation, error)
        for operation in _wholes(measurement)
        for error, amount in measurement.operations[operation].errors.most_common()
    ]
    _print_classes(page, "Errors by class", rows, BAD)
    if not rows:
        page.line(INDENT, "none")
    for name, title in _CLASSES.items():
        amounts = measurement.details.get(name)
        if isinstance(amounts, Mapping) and amounts:
            most_first = sorted(amounts.items(), key=lambda each: -each[1])
            _print_classes(page, title, [(amount, "", each) for each, amount in most_first], UNSURE)


def _print_classes(page: Page, title: str, rows: Sequence[tuple[int, str, str]], style: str) -> None:
    """A line for each (amount, operation, class)."""
    page.heading(title)
    width = max((cell_len(page.said(operation)) for _, operation, _ in rows), default=0)
    for amount, operation, name in rows:
        who = operation + " " * (width + GAP - cell_len(page.said(operation))) if width else ""
        head = f"{INDENT}{count(amount):>10}{' ' * GAP}{who}"
        page.paragraph(name, first=head, rest=" " * cell_len(page.said(head)), style=style)


def plural(operation: str) -> str:
    """What an operation is called in a heading."""
    return _PLURALS.get(operation, spoken(operation).capitalize())
