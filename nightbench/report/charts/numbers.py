"""Numbers of a chart: as few digits in its data as an eye can tell, and Vega expressions that say them as people read them."""

from __future__ import annotations

import json
import math

from nightbench.report.charts.theme import text
from nightbench.report.layout import with_unit

_DIGITS = 5
_NEARLY_ALL = 99.0
"""Percent past which three decimals are kept, rounded down: 99.9996 % is not 100 %."""


def rounded(value: float, unit: str = "") -> float:
    """`value` with five significant digits; a percentage near 100 as `nightbench.report.layout.number` shows it."""
    if unit == "%" and _NEARLY_ALL < value < 100:
        return math.floor(value * 1000) / 1000
    short = float(f"{value:.{_DIGITS}g}")
    return short if math.isfinite(short) else value  # the largest number has none above it


def rounded_or_none(value: float | None, unit: str = "") -> float | None:
    """The same of what may be missing, or be no number: JSON has none for it."""
    return None if value is None or not math.isfinite(value) else rounded(value, unit)


def number_expression(of: str, unit: str) -> str:
    """A Vega expression that says a number as `nightbench.report.layout.number` does.

    Args:
        of: A Vega expression of a number, such as ``datum.value``.
        unit: Its unit, which may be anything.
    """
    size = f"abs({of})"
    digits = (
        f"{size}>=1000?format({of},',.0f'):{size}>=100?format({of},'.1f')"
        f":{size}<1&&{of}!=0?format({of},'.3f'):format({of},'.2f')"
    )
    if unit in {"", "1"}:
        digits = f"{of}==floor({of})?format({of},',.0f'):{digits}"
    if unit == "%":
        digits = f"{size}>{_NEARLY_ALL:g}&&{size}<100?format(floor({of}*1000)/1000,'.3f'):{digits}"
    after = with_unit("", text(unit))
    return f"({digits})+{json.dumps(after)}" if after else f"({digits})"


def change_expression(of: str, against: float) -> str:
    """A Vega expression that says the relative change of a number as `nightbench.report.layout.change` does.

    Args:
        of: As of `number_expression`.
        against: What it is held against, not 0.
    """
    percent = f"100*({of}/{against:.{_DIGITS + 2}g}-1)"
    return f"format({percent},abs({percent})>=100?'+,.0f':'+,.1f')+' %'"
