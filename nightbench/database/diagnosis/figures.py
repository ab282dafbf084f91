"""The load's own figures, as far as they explain anything. Plain data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nightbench.database.result import LoadResult
from nightbench.database.starvation import starvation_of
from nightbench.database.tally import QUERY
from nightbench.load.histogram import Histogram
from nightbench.measurement import totals_of

_EXECUTE_TIME = re.compile(r"query\[(.*)\]\.execute_time")


@dataclass(frozen=True)
class StatementFigures:
    """The execute times of one statement: how many, their sum and P95, None when there were too few."""

    n: int
    total_ms: float
    p95_ms: float | None


@dataclass(frozen=True)
class LoadFigures:
    """What the generator saw of the measure phase. Times in ms, means unless said otherwise.

    Attributes:
        seconds: Length of the measure phase.
        operations: How many were begun.
        statements: By the statement's name.
        pool_wait: For a connection of the pool.
        pool_wait_p95: The same at P95, None when there were too few.
        service: Of an operation from its begin to its end.
        worker_wait: For a worker that is free, when an operation is due.
        response: Of an operation from when it was due.
        pool_connections: As many as the pool may have.
        pool_most: As many as were in use at once, at most.
        pool_timeouts: Operations that had no connection in time.
        errors: Failures by class.
        starved: Why the generator's times cannot be trusted, one sentence each.
    """

    seconds: float
    operations: int
    statements: Mapping[str, StatementFigures] = field(default_factory=dict)
    pool_wait: float = 0.0
    pool_wait_p95: float | None = None
    service: float = 0.0
    worker_wait: float = 0.0
    response: float = 0.0
    pool_connections: int = 1
    pool_most: int = 0
    pool_timeouts: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    starved: Sequence[str] = ()

    @classmethod
    def of(cls, load: LoadResult) -> LoadFigures:
        """From what the generators saw."""
        totals = totals_of(load.times)
        statements = {
            found[1]: StatementFigures(each.n, each.sum_ns / 1e6, each.quantile_ms(0.95))
            for name, each in totals.items()
            if each.n and (found := _EXECUTE_TIME.fullmatch(name))
        }
        wait, query = totals.get("pool.wait"), load.counted[QUERY]
        return cls(
            seconds=load.phases.measured_seconds,
            operations=query.scheduled - query.skipped,
            statements=statements,
            pool_wait=_mean(wait),
            pool_wait_p95=wait.quantile_ms(0.95) if wait is not None else None,
            service=_mean(totals.get("query.service_time")),
            worker_wait=_mean(totals.get("query.worker_wait")),
            response=_mean(totals.get("query.response_time")),
            pool_connections=load.pool.size + load.pool.max_overflow,
            pool_most=load.pool.checked_out_most,
            pool_timeouts=load.pool.timeouts,
            errors=query.errors,
            starved=starvation_of(load),
        )

    def share(self, statement: str) -> float:
        """The part of the time of all statements that one of them took."""
        whole = sum(each.total_ms for each in self.statements.values())
        return self.statements[statement].total_ms / whole if whole and statement in self.statements else 0.0


def _mean(histogram: Histogram | None) -> float:
    return (histogram.mean_ms or 0.0) if histogram is not None else 0.0
