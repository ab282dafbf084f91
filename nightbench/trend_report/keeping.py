"""The report beside the results, where whoever shares them finds it."""

from __future__ import annotations

from collections.abc import Sequence

from nightbench.errors import MeasurementError
from nightbench.files import reason
from nightbench.history.store import HistoryStore
from nightbench.plan import Suite, Tier
from nightbench.settings import Settings
from nightbench.trend_report.making import trend_report

PLACE = "reports/trend.html"
"""Below the results: beside the tables of the dataset, which leaves other folders alone."""


def keep_report(settings: Settings, nights: int, tiers: Sequence[Tier], suites: Sequence[Suite]) -> str:
    """Make the report and put it in its place, where it replaces the last one; it blocks for seconds.

    Returns:
        Where it lies; nothing when no night is stored.

    Raises:
        ConfigurationError: when the dataset cannot be looked into.
        MeasurementError: when the report could not be made or kept.
    """
    made = trend_report(settings, nights=nights, tiers=tiers, suites=suites)
    if made is None:
        return ""
    storage = HistoryStore(settings.results).storage
    try:
        storage.write(PLACE, made.html.encode())
    except OSError as error:
        raise MeasurementError(f"the report could not be kept in {storage.name}: {reason(error)}") from error
    return str(storage.location(PLACE))
