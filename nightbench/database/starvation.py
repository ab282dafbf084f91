"""Why the times of a database load cannot be trusted. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from nightbench.database.result import LoadResult
from nightbench.load.health import Health
from nightbench.load.timeline import Times
from nightbench.measurement import totals_of

_WAY_OUT = "use a lower rate, fewer workers, more shards or a quieter machine"


def starvation(health: Health, times: Iterable[Times]) -> tuple[str, ...]:
    """Why what one generator measured cannot be trusted, a sentence each: see `Health.reasons`."""
    return health.reasons({"sends": totals_of(times)["query.send_lag"]}, way_out=_WAY_OUT)


def starvation_of(load: LoadResult) -> tuple[str, ...]:
    """The same of a whole load: what its generators say of themselves, or else all of them together."""
    return load.starved or starvation(load.health, load.times)  # what shards were late with may add up
