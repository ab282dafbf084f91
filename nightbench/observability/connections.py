"""Which exceptions say that the other end was not there: a database, a cache or a client of a desk, mostly."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

_MOST = 64
"""Exceptions of a chain or group that are looked at."""

_NAMES = frozenset(
    {
        "aiohttp.client_exceptions.ClientConnectionError",
        "asyncpg.exceptions.CannotConnectNowError",
        "asyncpg.exceptions.PostgresConnectionError",
        "httpcore.NetworkError",
        "httpx.ConnectTimeout",
        "httpx.NetworkError",
        "httpx.RemoteProtocolError",
        "psycopg.errors.ConnectionTimeout",
        "psycopg_pool.PoolTimeout",
        "psycopg_pool.errors.PoolTimeout",
        "redis.exceptions.ConnectionError",
        "requests.exceptions.ConnectionError",
        "starlette.requests.ClientDisconnect",
        "starlette.websockets.WebSocketDisconnect",
        "urllib3.exceptions.NewConnectionError",
        "urllib3.exceptions.ProtocolError",
        "websockets.exceptions.ConnectionClosed",
    }
)
"""By name, so that nothing has to be imported to know them; a subclass is what its bases are."""

_NORMAL = (1000, 1001, 1005)
"""Close codes of RFC 6455: all is said, going away, and none given."""
_DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000", "pymysql", "MySQLdb", "sqlalchemy")
_SQLSTATE = re.compile(r"08...|57P0[1-5]")
"""Connection exceptions, and a server that goes down or comes up."""
_LOST = re.compile(
    r"connection (?:failed|refused|reset|timed out|timeout|is closed|was closed|is lost|to server)"
    r"|could not (?:connect|receive data|send data|translate host name)|server closed the connection"
    r"|failed to resolve host|timeout expired|no route to host|the connection is (?:closed|lost)",
    re.IGNORECASE,
)
_TEXT = 2000


def is_connection_error(error: BaseException) -> bool:
    """Whether `error` is about a connection, or was raised from one that is; a group is when all of it is.

    An exception that merely came up while another was handled (``__context__``) is a mistake of its own.
    """
    budget = iter(range(_MOST))
    return _is(error, budget)


def is_normal_close(error: BaseException) -> bool:
    """Whether `error` only says that the other end of a WebSocket closed it as it should."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if "starlette.websockets.WebSocketDisconnect" in names:
        return getattr(error, "code", None) in _NORMAL
    return "websockets.exceptions.ConnectionClosedOK" in names


def _is(error: BaseException, budget: Iterator[int]) -> bool:
    current: BaseException | None = error
    while current is not None and next(budget, None) is not None:
        if isinstance(current, BaseExceptionGroup):
            if all(_is(member, budget) for member in current.exceptions):
                return True
        elif _is_one(current):
            return True
        current = current.__cause__
    return False


def _is_one(error: BaseException) -> bool:
    if isinstance(error, ConnectionError | socket.gaierror):
        return True
    kinds = type(error).__mro__
    if any(f"{kind.__module__}.{kind.__qualname__}" in _NAMES for kind in kinds):
        return True
    modules = {kind.__module__.partition(".")[0] for kind in kinds}
    return any(driver in modules for driver in _DRIVERS) and _of_database(error)


def _of_database(error: BaseException) -> bool:
    """Drivers have one class for a lost connection and a full disk; what tells them apart is the code, or the words."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if isinstance(state, str):
        return _SQLSTATE.fullmatch(state) is not None
    return _LOST.search(str(error)[:_TEXT]) is not None
