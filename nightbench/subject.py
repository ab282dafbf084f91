"""What is loaded: the addresses and secrets of the backend under test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nightbench.plan import Suite


@dataclass(frozen=True)
class Subject:
    """The backend under test. Secrets are kept out of its repr.

    Attributes:
        websocket_url: The chat WebSocket; None when only the database is loaded.
        token: Its bearer token.
        dsn: The PostgreSQL, as psycopg and SQLAlchemy's ``postgresql+psycopg`` take it after the scheme.
        database_allowed: The databases that may be written to beside those that say so themselves, as
            ``host:port/database``.
        embedded: The suites that load the reference backend which nightbench starts itself.
    """

    websocket_url: str | None = field(default=None, repr=False)  # may carry a token
    token: str | None = field(default=None, repr=False)
    dsn: str | None = field(default=None, repr=False)
    database_allowed: tuple[str, ...] = ()
    embedded: frozenset[Suite] = frozenset()

    def kind(self, suite: Suite) -> Literal["embedded", "external"]:
        """Whether `suite` loads what nightbench brings along or a backend of the user's."""
        return "embedded" if suite in self.embedded else "external"
