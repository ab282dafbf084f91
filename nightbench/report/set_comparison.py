"""Two sets of runs beside each other, for people and as JSON-like data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from nightbench.history.record import clean, clean_text
from nightbench.report.layout import (
    BAD,
    DIM,
    GOOD,
    INDENT,
    UNSURE,
    Page,
    change,
    number,
    percent,
    signed,
)
from nightbench.verdict.sets.effects import SetEffect, Standing
from nightbench.verdict.sets.known_noise import NoiseOf
from nightbench.verdict.sets.quantiles import QuantileShift, QuantileView

_STYLES: dict[Standing, str] = {"worse": BAD, "better": GOOD, "small": "", "same": "", "unknown": DIM}
_WORDS: dict[Standing, str] = {
    "worse": "worse",
    "better": "better",
    "small": "small",
    "same": "",
    "unknown": "?",
}
_ORDER: tuple[Standing, ...] = ("worse", "better", "small", "same", "unknown")
_NOISE: dict[NoiseOf, str] = {
    "sets": "",
    "one set": "one side has a single night and no spread of its own: the other side's is taken",
    "earlier nights": "a single night has no interval of its own: the noise of up to 20 earlier nights is taken",
    "calibration": "a single night has no interval of its own: the noise of the last calibration is taken",
    "blocks": "a single night has no interval of its own: the spread of its blocks is taken, and nights differ more",
    "nothing": "a single run has no interval of its own, and nothing stored tells its noise: "
    "`nightbench calibrate` measures it",
}

_TWO_KINDS = (
    "a P95 in the first table is the mean of the nights' values, each the median of its runs; under `shift` it is "
    "of all samples of a side together, where one bad run counts in full: the two need not be equal"
)

MAIN = ("message.response_time.*", "query.response_time.*")
"""Of these the quantiles are shown unless other metrics are asked for."""


@dataclass(frozen=True)
class Side:
    """One of the sets.

    Attributes:
        name: As it was asked for.
        runs, nights: Ids, oldest first.
        first, last: When its runs started.
    """

    name: str
    runs: tuple[str, ...]
    nights: tuple[str, ...]
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Quantiles:
    """The quantile view of one quantity, such as ``message.response_time``."""

    suite: str
    tier: str
    quantity: str
    view: QuantileView


@dataclass(frozen=True)
class SetComparison:
    """What came of comparing two sets.

    Attributes:
        sides: Before and after.
        effects: One a metric that either has.
        quantiles: They explain.
        warnings: What speaks against comparing these, a sentence each.
    """

    sides: tuple[Side, Side]
    effects: tuple[SetEffect, ...]
    quantiles: tuple[Quantiles, ...]
    warnings: tuple[str, ...]


def comparison_document(comparison: SetComparison) -> dict[str, Any]:
    """The comparison as JSON-like data, scrubbed: ``a``, ``b``, ``warnings``, ``metrics``, ``quantiles``.

    Changes are relative: 0.1 is 10 % more. What is not known is null; a band whose ``high`` alone is null is open.
    """
    before, after = comparison.sides
    document: dict[str, Any] = clean(
        {
            "schema": 1,
            "a": asdict(before),
            "b": asdict(after),
            "warnings": comparison.warnings,
            "metrics": [_metric(effect) for effect in comparison.effects],
            "quantiles": [_quantity(each) for each in comparison.quantiles],
        }
    )
    return document


def print_comparison(console: Console, comparison: SetComparison, *, whole: bool) -> None:
    """Print it in at most 80 columns.

    Args:
        console: Where to.
        comparison: What to print.
        whole: Also the metrics that can be no regression.
    """
    page = Page(console)
    for label, side in zip("AB", comparison.sides, strict=True):
        page.paragraph(_said(side), first=f"{label}  ", rest=INDENT * 2)
    for warning in comparison.warnings:
        page.paragraph(warning, first=f"{INDENT}- ", rest=f"{INDENT}  ", style=UNSURE)
    series = dict.fromkeys((each.suite, each.tier) for each in comparison.effects)
    for suite, tier in series:
        page.line()
        effects = [each for each in comparison.effects if (each.suite, each.tier) == (suite, tier)]
        _metrics(page, f"{tier} {suite}", effects, whole=whole)
        for each in comparison.quantiles:
            if (each.suite, each.tier) == (suite, tier):
                _print_quantiles(page, each)
    if comparison.quantiles:
        page.line()
        page.paragraph(_TWO_KINDS, style=DIM)


def _said(side: Side) -> str:
    first, last = (f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}" for instant in (side.first, side.last))
    when = first if first == last else f"{first} to {last}"
    if side.runs == (side.name,):
        return f"{side.name}, {when} UTC"
    runs = "1 run" if len(side.runs) == 1 else f"{len(side.runs)} runs"
    nights = side.nights[0] if len(side.nights) == 1 else f"{len(side.nights)} nights"
    return f"{side.name}: {runs} of {nights}, {when} UTC"


def _metrics(page: Page, title: str, effects: Sequence[SetEffect], *, whole: bool) -> None:
    gating = [each for each in effects if whole or each.gates]
    shown = sorted(gating, key=lambda each: _ORDER.index(each.standing))
    page.table(
        [title, "A", "B", "change", "95 % interval", ""],
        [
            [
                clean_text(each.metric),
                number(each.before, each.unit),
                number(each.after, each.unit),
                change(each.effect),
                f"{signed(each.low)} to {signed(each.high)}" if each.low is not None else "–",
                _WORDS[each.standing],
            ]
            for each in shown
        ],
        [_STYLES[each.standing] for each in shown],
    )
    for note in _notes(effects, shown):
        page.paragraph(note, style=DIM)


def _notes(effects: Sequence[SetEffect], shown: Sequence[SetEffect]) -> Iterator[str]:
    known = [each for each in shown if each.low is not None]
    for source in dict.fromkeys(each.noise_of for each in shown if each.effect is not None):
        if words := _NOISE[source]:
            yield words
    if any(each.standing == "unknown" for each in shown):
        yield "?: no interval, so that nobody knows whether it is more than noise"
    sizes = [(each.nights[0], each.nights[1]) for each in shown]
    if known:
        nights = max(set(sizes), key=sizes.count)
        noise = sorted(each.noise for each in known if each.noise is not None)
        span = " to ".join(dict.fromkeys(map(percent, (noise[0], noise[-1]))))
        yield (
            f"{nights[0]} and {nights[1]} {'night' if nights == (1, 1) else 'nights'}; the noise from night to night"
            f" is {span}; one in twenty intervals misses the truth: what is marked holds for all of them together"
        )
    if hidden := len(effects) - len(shown):
        yield f"{hidden} more that can be no regression: --metric '*' shows all"


def _print_quantiles(page: Page, quantiles: Quantiles) -> None:
    view = quantiles.view
    page.line()
    page.table(
        [f"{quantiles.quantity} (ms)", "A", "B", "shift", "95 % band"],
        [
            [
                f"P{100 * each.quantile:g}",
                number(each.before),
                number(each.after),
                change(each.shift),
                _band(each),
            ]
            for each in view.shifts
        ],
    )
    moved = "–" if view.distance is None else percent(view.distance)
    more = "at least " if view.at_least else ""
    page.paragraph(
        f"distance: a sample moved by {more}{moved} of the median on average; of {view.samples[0]:,} and"
        f" {view.samples[1]:,} samples of {view.runs[0]} and {view.runs[1]} runs",
        style=DIM,
    )
    if view.why:
        page.paragraph(view.why, style=DIM)


def _band(shift: QuantileShift) -> str:
    if shift.low is None:
        return "–"
    return f"{signed(shift.low)} to {'open' if shift.high is None else signed(shift.high)}"


def _metric(effect: SetEffect) -> dict[str, Any]:
    found = asdict(effect)
    a, b = found.pop("nights")
    return {**found, "nights": {"a": a, "b": b}, "a": found.pop("before"), "b": found.pop("after")}


def _quantity(quantiles: Quantiles) -> dict[str, Any]:
    view = quantiles.view
    return {
        "suite": quantiles.suite,
        "tier": quantiles.tier,
        "quantity": quantiles.quantity,
        "shifts": [
            {
                "quantile": each.quantile,
                "a": each.before,
                "b": each.after,
                "shift": each.shift,
                "low": each.low,
                "high": each.high,
            }
            for each in view.shifts
        ],
        "distance": view.distance,
        "at_least": view.at_least,
        "samples": {"a": view.samples[0], "b": view.samples[1]},
        "runs": {"a": view.runs[0], "b": view.runs[1]},
        "why": view.why,
    }
