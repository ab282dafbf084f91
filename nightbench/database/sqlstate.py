"""Which SQLSTATE a failure has, also that of a connection that never came about."""

from __future__ import annotations

import re

import psycopg

TOO_MANY_CONNECTIONS = "53300"

_SAID: tuple[tuple[str, str], ...] = (
    ("no password supplied", "28P01"),
    ("password authentication failed", "28P01"),
    ("authentication failed|no pg_hba.conf entry|pg_hba.conf rejects", "28000"),
    ("role .* (does not exist|is not permitted to log in)", "28000"),
    ("database .* does not exist|no such database", "3D000"),
    ("database .* is not currently accepting connections", "55000"),
    ("permission denied for database", "42501"),
    (
        # the last two are of poolers
        "too many clients|too many connections|remaining connection slots|max client|no more connections allowed",
        TOO_MANY_CONNECTIONS,
    ),
    (
        "the database system is (starting up|shutting down|in recovery mode|not (yet )?accepting connections)",
        "57P03",
    ),
    ("terminating connection due to administrator command", "57P01"),
    (
        "terminating connection (due to immediate shutdown|because of crash of another server process)",
        "57P02",
    ),
)
"""What PostgreSQL and the poolers before it say, and the state that goes with it; the first that fits."""


def sqlstate_of(error: BaseException | None) -> str | None:
    """The SQLSTATE of a failure; None where the server gave none or none can be told.

    Why it refused a connection libpq hands on in words alone: `psycopg.Error.diag` is empty then. They are told
    from those of PostgreSQL's own language; one that speaks another (its ``lc_messages``, which no client may
    choose) refuses without a state.
    """
    if not isinstance(error, psycopg.Error):
        return None
    if error.sqlstate is not None or not isinstance(error, psycopg.OperationalError):
        return error.sqlstate
    words = str(error).lower()
    return next((state for pattern, state in _SAID if re.search(pattern, words)), None)
