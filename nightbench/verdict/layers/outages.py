"""Layer 0, outages: nights in which most of an operation failed measured its errors, not its times."""

from __future__ import annotations

import numpy as np

from nightbench.verdict.layers.baseline import middle
from nightbench.verdict.panel import Bools, Panel

_RATE = "success_rate"


def outages_of(panel: Panel, usable: Bools) -> dict[str, Bools]:
    """The nights in which an operation succeeded less than half as often as in the median of its earlier nights.

    They are no baseline of any metric of that operation: what is named as its success rate is up to that word.
    Where half of the nights are like that, it is the normal state, and none of them is an outage.

    Args:
        panel: Earlier nights and tonight.
        usable: Values that are comparable and of the epoch; shape (n, m).

    Returns:
        By the name of the operation, of shape (n, m); only those that have one.
    """
    found: dict[str, Bools] = {}
    for column, metric in enumerate(panel.metrics):
        if not metric.endswith(_RATE):
            continue
        rates = np.where(usable[:-1, [column]], panel.values[:-1, [column]], np.nan)
        usual = middle(rates, usable[:-1, [column]].sum(axis=0))[0]
        out = usable[:, column] & (panel.values[:, column] < usual / 2)
        if out.any():
            prefix = metric.removesuffix(_RATE)
            of_it = np.array([name.startswith(prefix) for name in panel.metrics], dtype=bool)
            nights = out[:, None] & of_it & (panel.group == panel.group[column])
            name = prefix.strip("._") or "it"
            found[name] = found.get(name, np.zeros(usable.shape, dtype=bool)) | nights
    return found
