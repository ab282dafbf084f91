"""What is loaded: the addresses and secrets of the backend under test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Subject:
    """The backend under test. Secrets are kept out of its repr.

    Attributes:
        kind: ``embedded`` for the reference backend that nightbench starts itself, else ``external``.
        websocket_url: The chat WebSocket; None when only the database is loaded.
        token: Its bearer token.
        dsn: The PostgreSQL, as psycopg and SQLAlchemy's ``postgresql+psycopg`` take it after the scheme.
        counters_url: Where the reference backend tells what it counted itself; None elsewhere.
    """

    kind: Literal["embedded", "external"]
    websocket_url: str | None = None
    token: str | None = field(default=None, repr=False)
    dsn: str | None = field(default=None, repr=False)
    counters_url: str | None = None
