"""What a night loads and what it loads it with: the subject, and a process to fork the load generators from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from nightbench.load.fork_server import fork_server
from nightbench.plan import Suite
from nightbench.reference.provide import provide_subject
from nightbench.settings import Settings
from nightbench.subject import Subject

LOADING: Mapping[Suite, tuple[str, ...]] = MappingProxyType(
    {
        "websocket": ("nightbench.websocket.generator",),
        "database": (
            "nightbench.database.stewardship",
            "nightbench.database.steward",
            "nightbench.database.generator",
            "sqlalchemy.dialects.postgresql.psycopg",
        ),
    }
)
"""The modules that load a suite; also the one that SQLAlchemy imports by the name in an address."""


@asynccontextmanager
async def provide(settings: Settings, needs: frozenset[Suite]) -> AsyncIterator[Subject]:
    """Provide both for the suites in `needs`, for the length of the block; they start side by side.

    Raises:
        NightbenchError: when there is no subject; see `provide_subject`.
    """
    modules = [module for suite in sorted(needs) for module in LOADING[suite]]
    async with fork_server(modules), provide_subject(settings, needs=needs) as subject:
        yield subject
