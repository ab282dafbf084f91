"""Many tests at once: Holm's step-down correction of their p values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def holm(p: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Adjusted p values, and the factor by which each was raised, in the order given.

    The smallest of m is multiplied by m, the next by m − 1, and so on; none is less than one before it. To
    reject what is at most alpha then is wrong at all with a chance of at most alpha, however the tests depend
    on each other (S. Holm, A simple sequentially rejective multiple test procedure, 1979).

    Args:
        p: Shape (m,), no NaN.
    """
    order = np.argsort(p, kind="stable")
    factors = np.empty(len(p))
    factors[order] = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors[order]), 1.0)
    return adjusted, factors
