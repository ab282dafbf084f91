"""The plan of a database stress test."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from nightbench.frozen import Frozen
from nightbench.plan.words import TARGETS, ArrivalModel, Seed, Think, Warmup
from nightbench.target import Target, about, merged_targets

DatabaseTarget = Annotated[Target, about("database", "query", "query[STATEMENT]", "pool", "generator")]


class DatabasePlan(Frozen):
    """One database stress test. Times in seconds, rates per second of the whole test."""

    queries: Annotated[
        int, Field(gt=0, le=100_000_000, title="Queries", description="operations of the measure phase")
    ]
    workers: Annotated[
        int,
        Field(
            gt=0,
            le=10_000,
            title="Workers",
            description="concurrent workers, each a thread of the application",
        ),
    ]
    model: ArrivalModel = "open"
    rate: Annotated[
        float | None,
        Field(
            gt=0,
            le=1_000_000,
            title="Rate (queries/s)",
            description="queries per second of all workers together, open model; 10 per worker, at most 200, when left out",
        ),
    ] = None
    think: Think = 0.0
    warmup: Warmup = 2.0
    pool_size: Annotated[
        int | None,
        Field(
            gt=0,
            le=10_000,
            title="Pool size",
            description="connections that the pool keeps; one for each worker, at most 20, when left out",
        ),
    ] = None
    max_overflow: Annotated[
        int, Field(ge=0, le=10_000, title="Pool overflow", description="connections above the pool's size")
    ] = 10
    pool_timeout: Annotated[
        float, Field(gt=0, le=3600, title="Pool timeout (s)", description="seconds to wait for a connection")
    ] = 10.0
    statement_timeout: Annotated[
        float, Field(gt=0, le=3600, title="Statement timeout (s)", description="seconds a statement may take")
    ] = 10.0
    tenants: Annotated[
        int,
        Field(gt=0, le=1_000_000, title="Tenants", description="how many of the subject's tenants take part"),
    ] = 1000
    seed: Seed = 1
    targets: Annotated[tuple[DatabaseTarget, ...], TARGETS] = ()

    @property
    def promises(self) -> tuple[Target, ...]:
        """Every target of the run: fast, right, stable and without a leak, unless set otherwise."""
        defaults = (
            Target(metric="query.response_time.p95", op="<", limit=100),
            Target(metric="query.success_rate", op=">", limit=99),
            Target(metric="query.response_time.growth", op="<", limit=50),
            Target(metric="query.leaked_rows", op="==", limit=0),
        )
        return merged_targets(defaults, self.targets)

    @property
    def queries_per_second(self) -> float:
        """The open model's rate over all workers."""
        return self.rate if self.rate is not None else float(min(10 * self.workers, 200))

    @property
    def pool_connections(self) -> int:
        """The pool's size: one connection a worker, at most 20, unless set."""
        return self.pool_size if self.pool_size is not None else min(self.workers, 20)

    @property
    def filled_in(self) -> Self:
        """The same plan with the values that were left out."""
        return self.model_copy(update={"rate": self.queries_per_second, "pool_size": self.pool_connections})
