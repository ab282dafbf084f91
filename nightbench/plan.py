"""What to run: the plan of each suite, and what may be changed in it, as data.

The models here are the form of the Prefect UI, the flags of the command line, the fields of
``nightbench.toml`` and what is stored with every result. Bounds and help are written once, here.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import BaseModel, Field, create_model

from nightbench.frozen import Frozen
from nightbench.target import Target, about, merged_targets

Tier = Literal["quick", "baseline", "full", "stress"]
Suite = Literal["websocket", "database"]
Model = Literal["open", "closed"]

TIER_NAMES: tuple[Tier, ...] = get_args(Tier)
NIGHTLY_TIERS: tuple[Tier, ...] = ("baseline", "full", "stress")

Seconds = Annotated[float, Field(ge=0, le=86_400)]
ArrivalModel = Annotated[
    Model,
    Field(
        title="Arrival model",
        description="open: a schedule fixed beforehand, which waits for no answer; "
        "closed: each sends, waits, thinks and sends again",
    ),
]
Think = Annotated[
    Seconds,
    Field(
        title="Think time (s)",
        description="seconds between an answer and what the same user or worker sends next, closed model",
    ),
]
Warmup = Annotated[Seconds, Field(title="Warm-up (s)", description="seconds of load before anything counts")]

WebSocketTarget = Annotated[Target, about("websocket", "connection", "message", "generator")]
DatabaseTarget = Annotated[Target, about("database", "query", "query[STATEMENT]", "pool", "generator")]
_TARGETS = Field(
    title="Targets", description="promises on top of the default ones, each METRIC OP LIMIT (times in ms)"
)


class WebSocketPlan(Frozen):
    """One WebSocket load test. Times in seconds, rates per second of the whole test."""

    users: Annotated[
        int, Field(gt=0, le=50_000, title="Users", description="concurrent users, one connection each")
    ]
    duration: Annotated[
        float, Field(gt=0, le=86_400, title="Duration (s)", description="seconds of the measure phase")
    ]
    model: ArrivalModel = "open"
    rate: Annotated[
        float | None,
        Field(
            gt=0,
            le=1_000_000,
            title="Rate (messages/s)",
            description="messages per second of all users together, open model; half the users when left out",
        ),
    ] = None
    think: Think = 1.0
    ramp: Annotated[
        float | None,
        Field(
            ge=0,
            le=86_400,
            title="Ramp (s)",
            description="seconds over which users connect; 50 users a second when left out",
        ),
    ] = None
    warmup: Warmup = 5.0
    timeout: Annotated[
        float,
        Field(gt=0, le=3600, title="Reply timeout (s)", description="a reply later than this has timed out"),
    ] = 10.0
    connect_timeout: Annotated[
        float,
        Field(
            gt=0,
            le=3600,
            title="Connect timeout (s)",
            description="a handshake longer than this has timed out",
        ),
    ] = 10.0
    max_in_flight: Annotated[
        int,
        Field(
            gt=0,
            le=10_000,
            title="In flight per user",
            description="unanswered messages of one user, past which sends are skipped and counted",
        ),
    ] = 10
    message: Annotated[
        str,
        Field(min_length=1, max_length=65_536, title="Message", description="the text of each chat message"),
    ] = "How much did I spend on groceries this month?"
    targets: Annotated[tuple[WebSocketTarget, ...], _TARGETS] = ()

    @property
    def promises(self) -> tuple[Target, ...]:
        """Every target of the run: everybody connects, and is answered well and in time, unless set otherwise."""
        defaults = (
            Target(metric="connection.connected_users", op=">=", limit=self.users),
            Target(metric="connection.success_rate", op=">", limit=95),
            Target(metric="message.success_rate", op=">", limit=95),
            Target(metric="message.response_time.p95", op="<", limit=2000),
        )
        return merged_targets(defaults, self.targets)

    @property
    def messages_per_second(self) -> float:
        """The open model's rate over all users."""
        return self.rate if self.rate is not None else self.users / 2

    @property
    def ramp_seconds(self) -> float:
        """How long the users take to connect: 50 of them a second unless set."""
        return self.ramp if self.ramp is not None else self.users / 50

    @property
    def filled_in(self) -> Self:
        """The same plan with the values that were left out."""
        return self.model_copy(update={"rate": self.messages_per_second, "ramp": self.ramp_seconds})


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
    seed: Annotated[
        int, Field(ge=0, le=2**32 - 1, title="Seed", description="of the order of statements and tenants")
    ] = 1
    targets: Annotated[tuple[DatabaseTarget, ...], _TARGETS] = ()

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


SuitePlan = WebSocketPlan | DatabasePlan
_Plan = TypeVar("_Plan", WebSocketPlan, DatabasePlan)


def _optional(model: type[Frozen]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        annotation: Any = info.annotation
        for constraint in info.metadata:
            annotation = Annotated[annotation, constraint]
        fields[name] = (
            annotation | None,
            Field(default=None, title=info.title, description=info.description),
        )
    return create_model(f"_Optional{model.__name__}", __base__=Frozen, **fields)


class WebSocketChanges(_optional(WebSocketPlan)):  # type: ignore[misc]  # made of the plan: bounds stay in one place
    """What to change in a tier's WebSocket plan; what is left out keeps the tier's value."""


class DatabaseChanges(_optional(DatabasePlan)):  # type: ignore[misc]  # made of the plan: bounds stay in one place
    """What to change in a tier's database plan; what is left out keeps the tier's value."""


class TierChanges(Frozen):
    """What to change in both suites of one tier."""

    websocket: WebSocketChanges = WebSocketChanges()
    database: DatabaseChanges = DatabaseChanges()


class TierPlan(Frozen):
    """What one tier runs: its two suites."""

    tier: Tier
    websocket: WebSocketPlan
    database: DatabasePlan

    def changed(self, changes: TierChanges) -> Self:
        """This plan with `changes` on top."""
        return self.model_copy(
            update={
                "websocket": changed(self.websocket, changes.websocket),
                "database": changed(self.database, changes.database),
            }
        )


def changed(plan: _Plan, changes: BaseModel) -> _Plan:
    """Return `plan` with the fields that `changes` sets; targets are replaced metric by metric.

    Raises:
        pydantic.ValidationError: when the fields together make no valid plan.
    """
    update = {name: value for name, value in changes if value is not None}
    if "targets" in update:
        update["targets"] = merged_targets(plan.targets, update["targets"])
    return type(plan).model_validate({**dict(plan), **update})


def plan_hash(plan: SuitePlan) -> str:
    """What two plans share exactly when their numbers can be compared.

    It is made of the values that the run uses, whether they were set or left out; targets change no number.
    """
    unused = "think" if plan.model == "open" else "rate"
    used = plan.filled_in.model_dump(mode="json", exclude={"targets", unused})
    return hashlib.sha256(json.dumps(used, sort_keys=True).encode()).hexdigest()[:16]
