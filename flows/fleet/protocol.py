"""What a worker is told of a shard, and what it tells: all that travels over Dask."""

from __future__ import annotations

from dataclasses import dataclass

from nightbench.load.progress import Progress

BEAT_SECONDS = 1.0
"""How often whoever runs a load test talks with each of its shards."""
LEASE_SECONDS = 8.0
"""How long a shard goes on without hearing anything: its client may be dead, or the network cut."""
LOST_SECONDS = 15.0
"""How long a shard may be silent before it is given up; by then it has given up too."""


class Order:
    """One shard to be run. A plain class that shows nothing: Prefect walks through dataclasses, Dask logs arguments.

    Attributes:
        key: Names it.
        worker: The identity of the one process that may run it: never another, in which it would begin again.
        generator: ``module:name`` of the generator.
        spec: Pickled; it may hold secrets.
        grace: See `nightbench.load.child.run_in_child`.
        patience: The same.
    """

    def __init__(
        self, key: str, worker: str, generator: str, spec: bytes, *, grace: float, patience: float
    ) -> None:
        self.key = key
        self.worker = worker
        self.generator = generator
        self.spec = spec
        self.grace = grace
        self.patience = patience

    def __repr__(self) -> str:
        return f"Order({self.key!r})"


@dataclass(frozen=True)
class Begin:
    """All shards are ready.

    Attributes:
        start_at: When they begin, ns by the wall clock of the worker; None for at once.
    """

    start_at: int | None


@dataclass(frozen=True)
class Instruction:
    """What a shard is told while it runs.

    Attributes:
        begin: Once all are ready.
        stop: That it is to end early.
    """

    begin: Begin | None = None
    stop: bool = False


@dataclass(frozen=True)
class Answer:
    """What it answers.

    Attributes:
        clock: The wall clock of its machine, ns.
        worker: The identity of its process.
        is_there: Whether the shard is being run there.
        progress: What its generator reported since the last answer.
    """

    clock: int
    worker: str
    is_there: bool = False
    progress: tuple[Progress, ...] = ()
