"""What a load test should have reported, from what the server did. Pure."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Nanoseconds = npt.NDArray[np.int64]


def percentile_ms(durations_ns: Nanoseconds, quantile: float) -> float:
    """The smallest duration that at least `quantile` of all are not above (nearest rank), in ms.

    Raises:
        ValueError: when there are none.
    """
    if durations_ns.size == 0:
        raise ValueError("no durations: the server logged no reply of the measure phase")
    rank = max(1, math.ceil(quantile * durations_ns.size))
    return float(np.partition(durations_ns, rank - 1)[rank - 1]) / 1e6


def replies_between(log: Nanoseconds, begin: int, end: int) -> Nanoseconds:
    """How long the server took over the messages that arrived between two instants (ns).

    Args:
        log: Rows of arrival and reply, ns.
        begin: The first instant inside.
        end: The first instant after it.
    """
    inside = (log[:, 0] >= begin) & (log[:, 0] < end)
    durations: Nanoseconds = log[inside, 1] - log[inside, 0]
    return durations


def stalled_response_times(measure: tuple[int, int], rate: float, stall: tuple[int, int]) -> Nanoseconds:
    """Response times of evenly spaced messages to a server that answers at once but for one stall.

    A message that is due in the stall is answered when it ends: the classic account of coordinated omission.

    Args:
        measure: When the messages begin and end, ns.
        rate: Messages per second.
        stall: When the server stood still, ns.
    """
    spacing = 1e9 / rate
    count = round((measure[1] - measure[0]) / spacing)
    due = measure[0] + np.rint((np.arange(count) + 0.5) * spacing).astype(np.int64)
    stalled = (due >= stall[0]) & (due < stall[1])
    return np.where(stalled, stall[1] - due, 0).astype(np.int64)
