"""How far drawn numbers are from where they should be."""

import numpy as np

KOLMOGOROV_999 = 1.949
"""Of √n·D, exceeded by one in a thousand of true samples (the limit law of Kolmogorov's statistic)."""


def kolmogorov(shares):
    """Kolmogorov's D: the largest distance of a sample's distribution from the uniform one on [0, 1]."""
    ranks = np.arange(shares.size + 1) / shares.size
    ordered = np.sort(shares)
    return max(np.max(ranks[1:] - ordered), np.max(ordered - ranks[:-1]))
