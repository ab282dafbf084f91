"""How many transactions are kept: a rate for each kind of request, decided when it begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nightbench.observability.requests import RequestKind, kind_of

_DEVELOPMENT = frozenset({"development", "dev", "local", "test", "testing"})


@dataclass(frozen=True)
class Rates:
    """The share of transactions that is kept, 0 to 1, by kind of request; errors are always kept.

    Attributes:
        other: What is no request of the other kinds: pages, jobs, transactions begun by hand.
        profiles: The share of processes that are profiled while a transaction runs.
    """

    health: float
    websocket: float
    api: float
    other: float
    profiles: float

    def of(self, kind: RequestKind) -> float:
        """The rate of one kind."""
        match kind:
            case RequestKind.HEALTH:
                return self.health
            case RequestKind.WEBSOCKET:
                return self.websocket
            case RequestKind.API:
                return self.api
            case RequestKind.OTHER:
                return self.other


PRODUCTION: Final = Rates(health=0.01, websocket=0.5, api=0.2, other=0.1, profiles=0.1)
DEVELOPMENT: Final = Rates(health=0.01, websocket=1.0, api=1.0, other=1.0, profiles=1.0)
"""Everything but health checks, of which a container that runs on a desk has as many as anywhere."""


def is_development(environment: str) -> bool:
    """Whether an environment is somebody's desk or a test; what is not known to be is production."""
    return environment.strip().lower() in _DEVELOPMENT


def rates_in(environment: str) -> Rates:
    """The rates of an environment."""
    return DEVELOPMENT if is_development(environment) else PRODUCTION


def sampler(rates: Rates) -> Callable[[Mapping[str, Any]], float]:
    """A ``traces_sampler``: what has a parent goes with its parent, so that no trace is torn, all else by its kind."""

    def rate(sampling_context: Mapping[str, Any]) -> float:
        parent = sampling_context.get("parent_sampled")
        return float(parent) if parent is not None else rates.of(kind_of(sampling_context))

    return rate
