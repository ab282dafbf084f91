"""The chart that goes along with an alert: the metric's last nights, tonight among them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from nightbench.alerts.attachment import Attachment
from nightbench.debugging import show_traceback

if TYPE_CHECKING:
    from nightbench.alerts.alert import Alert
    from nightbench.tier_verdict import Earlier
    from nightbench.verdict.verdict import SuiteVerdict

MOST_CHARTS = 10
"""A night in which more than that is told has a cause that no chart shows."""
MOST_SECONDS = 30.0
"""That all of them may take: one takes one, on a busy machine three."""
MOST_BYTES = 200 * 1024

_KINDS = frozenset({"target_missed", "regression"})


class AlertCharts:
    """The charts of one night's alerts: the first `MOST_CHARTS`, as many as there is time for.

    Args:
        clock: Seconds, to measure how long they take.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._charts = MOST_CHARTS
        self._seconds = MOST_SECONDS

    def chart_of(self, alert: Alert, verdict: SuiteVerdict, earlier: Earlier | None) -> Attachment | None:
        """The chart of an alert about one metric; it blocks for a second, all of a night for at most `MOST_SECONDS`.

        It never raises: an alert without a chart is better than none.

        Args:
            alert: To be told.
            verdict: On the suite that it is about.
            earlier: The nights before this one, as the tier was judged against.

        Returns:
            A PNG; None when the alert is about no metric, when no earlier night has a value of it, or when it could
            not be drawn.
        """
        if alert.kind not in _KINDS or earlier is None or self._charts <= 0 or self._seconds <= 0:
            return None
        begun = self._clock()
        try:
            chart = _chart(alert.metric, verdict, earlier, self._seconds)
        except Exception as error:  # noqa: BLE001  # whatever it is, the alert is told without it
            show_traceback(error)
            return None
        finally:
            self._seconds -= self._clock() - begun
        if chart is not None:
            self._charts -= 1
        return chart


def _chart(metric: str, verdict: SuiteVerdict, earlier: Earlier, patience: float) -> Attachment | None:
    from nightbench.metric_history import metric_nights  # noqa: PLC0415  # as heavy as what it draws with
    from nightbench.report.charts.drawing import png  # noqa: PLC0415
    from nightbench.report.charts.spec import spec_of  # noqa: PLC0415

    history = metric_nights(metric, verdict, earlier)
    if not history.shows_something:
        return None
    content = png(spec_of(history), patience=patience)
    return Attachment("chart.png", "image/png", content) if len(content) <= MOST_BYTES else None
