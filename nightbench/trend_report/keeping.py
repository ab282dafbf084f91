"""The report beside the results, where whoever shares them finds it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from nightbench.errors import MeasurementError
from nightbench.files import reason
from nightbench.history.root import storage_at
from nightbench.settings import Settings


def path_of_report(environment: str, tiers: Sequence[str], suites: Sequence[str]) -> str:
    """Below the results: beside the tables of the dataset, which leaves other folders alone.

    ``reports/environment=local/trend.html``; of one tier or suite alone ``trend-full-websocket.html``.
    """
    parts = ["trend", *(names[0] for names in (tiers, suites) if len(names) == 1)]
    return f"reports/environment={quote(environment, safe='')}/{'-'.join(parts)}.html"


def place_of_report(settings: Settings, path: str) -> str:
    """Where the report lies, as it may be shown."""
    return str(storage_at(settings.results).location(path))


def keep_report(settings: Settings, path: str, html: str) -> None:
    """Put the report in its place, where it replaces the last one.

    Raises:
        MeasurementError: when it could not be kept.
    """
    storage = storage_at(settings.results)
    try:
        storage.write(path, html.encode())
    except OSError as error:
        raise MeasurementError(f"the report could not be kept in {storage.name}: {reason(error)}") from error
