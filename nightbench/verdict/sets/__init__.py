"""Sets of runs beside each other: effects, quantiles, and the noise of the same build."""
