"""What runs of the same build differ by, as a table."""

from __future__ import annotations

import math

import pandas as pd
from rich.console import Console

from nightbench.report.layout import DIM, Page, number, percent


def print_noise(console: Console, noise: pd.DataFrame) -> None:
    """Print the noise of every metric that gates, suite by suite.

    Args:
        console: Where to.
        noise: As `nightbench.verdict.sets.noise.noise_of` gives it.
    """
    page = Page(console)
    gating = noise[noise["gates"].eq(other=True)]
    for (suite, tier), rows in gating.groupby(["suite", "tier"], sort=False):
        page.line()
        page.table(
            [f"{tier} {suite}, {rows['runs'].max()} runs", "mean", "within", "between", "seen from"],
            [
                [
                    row["metric"],
                    number(row["mean"], row["unit"]),
                    _relative(row["within_sd"], row["mean"]),
                    _relative(row["between_sd"], row["mean"]),
                    _detectable(row["detectable"]),
                ]
                for row in rows.to_dict("records")
            ],
        )
    if noise.empty:
        page.line()
        page.paragraph("Two runs that count are needed to know noise.")
        return
    page.paragraph(
        "within: how far a run is off by the samples that it happened to have; between: standard deviation from run "
        "to run, which that is a part of; seen from: the smallest worsening that one night of one such run shows "
        "with 80 % probability, with these runs as its baseline. Where within is nearly all of between, longer runs "
        "help, else more blocks do.",
        style=DIM,
    )
    if more := len(noise) - len(gating):
        page.paragraph(f"{more} metrics that do not gate are in the dataset and in --json.", style=DIM)


def _relative(deviation: float, mean: float) -> str:
    return "–" if math.isnan(deviation) or not mean else percent(deviation / abs(mean))


def _detectable(effect: float) -> str:
    if math.isnan(effect):
        return "–"
    return percent(effect) if effect <= 1 else "> 100 %"
