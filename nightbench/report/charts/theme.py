"""What all charts look like: colours, type and the frame around a plot, the same in a mail, a page and a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache
from types import MappingProxyType
from typing import Any

import altair as alt

from nightbench.history.record import clean_text
from nightbench.visible import visible

WIDTH, HEIGHT = 520, 240
"""Points of the plot; with axis and margins it is 600 wide."""
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""The first of them is inside vl-convert."""

INK, DIM_INK, PALE, GRID, FRAME, GROUND = "#333333", "#555555", "#9a9a9a", "#eeeeee", "#dddddd", "#ffffff"
BLUE, VERMILION, ORANGE, GREEN = "#0072B2", "#D55E00", "#E69F00", "#009E73"
"""Of the colours that colour-blind people tell apart (Okabe and Ito, 2008); shapes differ as well."""

DARK: Mapping[str, str] = MappingProxyType(
    {
        INK: "#e4e4e4",
        DIM_INK: "#b4b4b4",
        PALE: "#8c8c8c",
        GRID: "#33383e",
        FRAME: "#474d54",
        GROUND: "#16191d",
        BLUE: "#56B4E9",
        VERMILION: "#FF7F3F",
        ORANGE: "#F0B432",
        GREEN: "#2FCFA0",
    }
)
"""What stands for each colour on a dark ground."""

_LONGEST_TEXT = 90

Layered = alt.Chart | alt.LayerChart | alt.FacetChart | alt.VConcatChart | alt.HConcatChart


def text(words: str) -> str:
    """A text of others as a chart may have it: free of secrets and of control characters, and no longer than a line."""
    return one_line(clean_text(words))


def one_line(scrubbed: str) -> str:
    """A text that is free of secrets, without control characters and no longer than a line."""
    shown = visible(scrubbed)
    return shown if len(shown) <= _LONGEST_TEXT else f"{shown[: _LONGEST_TEXT - 1]}…"


def title(words: str, sentences: Sequence[str] = ()) -> alt.TitleParams:
    """The title of a chart, with what there is to say of it below."""
    return alt.TitleParams(
        text=text(words),
        subtitle=[text(line) for line in sentences if line],
        anchor="start",
        fontSize=14,
        subtitleFontSize=12,
        color=INK,
        subtitleColor=DIM_INK,
        limit=WIDTH + 60,
        offset=12,
    )


def spec(chart: Layered, datasets: Mapping[str, Any]) -> dict[str, Any]:
    """The chart as Vega-Lite with its named sets of data; the same chart gives the same spec."""
    found: dict[str, Any] = chart.to_dict(
        validate=False
    )  # which takes half the time, and what draws it looks as well
    return {**found, **deepcopy(_frame()), "datasets": dict(datasets)}


@cache
def _frame() -> dict[str, Any]:
    """What all charts have around them; Altair copies a whole chart for each line of it."""
    framed = (
        alt.Chart()
        .mark_point()
        .properties(background=GROUND, padding=10)
        .configure(font=FONT)
        .configure_view(stroke=FRAME)
        .configure_axis(labelColor=INK, titleColor=INK, gridColor=GRID, labelFontSize=11)
        .configure_legend(orient="bottom", title=None, labelColor=INK, labelFontSize=11, symbolSize=60)
    )
    whole = framed.to_dict(validate=False)
    return {name: whole[name] for name in ("config", "background", "padding")}
