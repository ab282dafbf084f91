"""The trends of all suites and tiers of a dataset, as the design's policy judges them."""

from __future__ import annotations

from itertools import product

from nightbench.plan import TIER_NAMES
from nightbench.planning import SUITES
from nightbench.trend_report.trends import suite_trend
from nightbench.verdict.policy import Policy


def every_trend(store, environment="local", *, nights=90, suites=SUITES):
    """Those that have nights, in the order of a report."""
    found = (
        suite_trend(store, environment, Policy(), tier, suite, nights=nights)
        for tier, suite in product(TIER_NAMES, suites)
    )
    return tuple(trend for trend in found if trend is not None)
