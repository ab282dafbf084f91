"""The plan of a database stress test."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nightbench.frozen import Frozen
from nightbench.plan.agreement import disagreement
from nightbench.plan.pam import PAM
from nightbench.plan.words import (
    TARGETS,
    ArrivalModel,
    ArrivalProcess,
    Queries,
    Seconds,
    Seed,
    Shards,
    Think,
    Warmup,
)
from nightbench.plan.workload import WorkloadPlan
from nightbench.target import Target, about, merged_targets

DATABASE_OPERATIONS = (
    "query",
    "query[STATEMENT]",
    "pool",
    "isolation",
    "policy",
    "server",
    "observer",
    "generator",
)
"""What its metrics begin with."""

DatabaseTarget = Annotated[Target, about("database", *DATABASE_OPERATIONS)]


class DatabasePlan(Frozen):
    """One database stress test. Times in seconds, rates per second of the whole test."""

    queries: Queries
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
    arrivals: ArrivalProcess = "constant"
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
    pool_recycle: Annotated[
        float | None,
        Field(
            gt=0,
            le=86_400,
            title="Pool recycle (s)",
            description="age at which the pool replaces a connection; never when left out",
        ),
    ] = None
    lock_timeout: Annotated[
        float | None,
        Field(
            gt=0,
            le=3600,
            title="Lock timeout (s)",
            description="seconds a statement may wait for a lock; as long as it may take when left out",
        ),
    ] = None
    isolation_level: Annotated[
        Literal["read committed", "repeatable read", "serializable"],
        Field(title="Isolation level", description="of each transaction"),
    ] = "read committed"
    lost_after: Annotated[
        float,
        Field(
            gt=0,
            le=3600,
            title="Lost after (s)",
            description="seconds of nothing but failing connections after which the subject is given up",
        ),
    ] = 10.0
    tenants: Annotated[
        int,
        Field(gt=0, le=1_000_000, title="Tenants", description="how many of the subject's tenants take part"),
    ] = 1000
    workload: Annotated[
        WorkloadPlan | None,
        Field(title="Workload", description="what the workers ask; the assistant's mix when left out"),
    ] = None
    observation_interval: Annotated[
        Seconds,
        Field(
            title="Observation interval (s)",
            description="seconds between two looks at the server's statistics, on a connection of its own; "
            "0 for none",
        ),
    ] = 2.0
    seed: Seed = 1
    shards: Shards = 1
    targets: Annotated[tuple[DatabaseTarget, ...], TARGETS] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        for name, most in (
            ("workers", self.workers),
            ("pool_size", self.pool_connections),
            ("queries", self.queries),
        ):
            if self.shards > most:
                raise disagreement(f"more shards than {name}: {self.shards} > {most}", ["shards"], [name])
        return self

    @property
    def mix(self) -> WorkloadPlan:
        """What the workers ask."""
        return self.workload if self.workload is not None else PAM

    @property
    def promises(self) -> tuple[Target, ...]:
        """Every target of the run: fast, right, stable and without a leak, unless set otherwise."""
        defaults = (
            Target(metric="query.response_time.p95", op="<", limit=100),
            Target(metric="query.success_rate", op=">", limit=99),
            Target(metric="query.response_time.growth", op="<", limit=50),
            Target(metric="query.throughput.decline", op="<", limit=20),
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
