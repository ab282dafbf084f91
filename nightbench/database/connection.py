"""How nightbench connects: the DSN as libpq takes it, what is added to it, and the classes of failures."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PGconn

from nightbench.database.sqlstate import TOO_MANY_CONNECTIONS, sqlstate_of
from nightbench.errors import ConfigurationError
from nightbench.scrub import scrub_address, without_query

APPLICATION_NAME = "nightbench"
SETTING = "--dsn / NIGHTBENCH_DATABASE_DSN"

_UNLESS_SET: dict[str, int] = {
    "connect_timeout": 10,
    # a server that vanished from the network is noticed within 15 s, waiting for it or sending to it
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

_BLANK = "\\ "
"""A blank inside of a value of libpq's options."""

_SERVER = ("host", "hostaddr", "port")
_DEFAULT_PORT = 5432
_HIGHEST_PORT = 65_535
_PORT = re.compile(r"\s*\+?0*([0-9]{1,5})\s*", re.ASCII)

# each ends the session, and the locks that it holds go with it; older servers do not know all of them
_STAY = (
    "SELECT {mark} pg_catalog.set_config(s.name, '0', false) FROM pg_catalog.pg_settings AS s WHERE s.name IN "
    "('idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')"
)


def connection_parameters(
    dsn: str,
    *,
    application_name: str = APPLICATION_NAME,
    statement_timeout: float,
    lock_timeout: float | None = None,
    isolation: str = "read committed",
) -> dict[str, Any]:
    """What `psycopg.connect` is called with: the DSN as libpq reads it, and what it leaves open.

    Args:
        dsn: A URL; its driver, as in ``postgresql+psycopg``, is of no account.
        application_name: What the server shows.
        statement_timeout: Seconds that the server gives a statement.
        lock_timeout: Seconds that it lets one wait for a lock, None for as long as it may take.
        isolation: The level of every transaction.

    Raises:
        ConfigurationError: when it cannot be parsed, or when it names several servers, be it with the help of
            the environment or of a service file.
    """
    given = _parsed(dsn)
    options = f"{given.get('options', '')} -c statement_timeout={_milliseconds(statement_timeout)}"
    if lock_timeout is not None:
        options += f" -c lock_timeout={_milliseconds(lock_timeout)}"
    options += f" -c default_transaction_isolation={isolation.replace(' ', _BLANK)}"
    return {
        **_UNLESS_SET,
        **given,
        "application_name": application_name,
        "options": options.strip(),
        "client_encoding": "utf8",  # whatever the role has: of others psycopg may make bytes
    }


def server_of(dsn: str) -> dict[str, str]:
    """The ``host``, ``hostaddr``, ``port`` and ``dbname`` that libpq would connect to, empty where it has no word for it.

    Nothing is connected to.

    Raises:
        ConfigurationError: as `connection_parameters`, and for a port that is none.
    """
    told = _completed(_parsed(dsn))
    if (port := _port(told["port"])) is None:
        problem = "its port, of the DSN, the environment or a service file, is not a number from 1 to 65535"
        raise ConfigurationError(SETTING, without_query(scrub_address(dsn)), problem, "mend it")
    return {name: told[name] for name in (*_SERVER, "dbname")} | {"port": str(port)}


def _port(written: str) -> int | None:
    """The port as libpq reads it, which takes zeros, a sign and blanks; None for what it refuses."""
    if not written:
        return _DEFAULT_PORT
    if (digits := _PORT.fullmatch(written)) is None:
        return None
    port = int(digits[1])
    return port if 1 <= port <= _HIGHEST_PORT else None


def _milliseconds(seconds: float) -> int:
    """As the server takes them; it knows 0 as never."""
    return max(1, round(seconds * 1000))


def _parsed(dsn: str) -> dict[str, Any]:
    problem = "not a DSN; it looks like postgresql://role:password@host:5432/database"
    way_out = "a password with special characters must be percent-encoded"
    try:
        given = conninfo_to_dict(re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", dsn))
    except psycopg.ProgrammingError as error:  # its text may repeat pieces of the password
        if "invalid URI query parameter" in str(error):
            problem, way_out = "libpq does not know one of its parameters", "leave it out"
    else:
        if _names_several(given):
            problem, way_out = "names several servers", "name the one that is to be loaded"
        elif "@" not in str(given.get("host", "")):
            return given
    # a misspelled parameter may hold a password under a name that no scrubber knows
    raise ConfigurationError(SETTING, without_query(scrub_address(dsn)), problem, way_out) from None


def _names_several(given: dict[str, Any]) -> bool:
    """Whether there would be several servers to choose from, with what is added to what is given."""
    # a list in the environment is psycopg's own to go through, whatever a service says
    if any("," in os.environ.get(f"PG{name.upper()}", "") for name in _SERVER if name not in given):
        return True
    told = _completed(given)
    return any("," in told[name] for name in _SERVER)


def _completed(given: dict[str, Any]) -> dict[str, str]:
    """What is given, and what libpq adds to it from the environment, a service file and its defaults.

    Only a connection that is begun tells: with an sslmode that there is not, it goes no further than that, and
    nothing is looked up or sent.
    """
    connection = PGconn.connect_start(make_conninfo(**{**given, "sslmode": "none"}).encode())
    try:
        return {each.keyword.decode(): (each.val or b"").decode(errors="replace") for each in connection.info}
    finally:
        connection.finish()


def error_class(error: BaseException | None, *, connected: bool) -> str:
    """The class of a database failure: its SQLSTATE, or what happened to the connection.

    Args:
        error: What psycopg raised.
        connected: Whether there was a connection before; without one, opening it failed.
    """
    state = sqlstate_of(error)
    if state == TOO_MANY_CONNECTIONS and not connected:
        return "connect_too_many"
    if state is not None:
        return f"sqlstate_{state}"
    if not isinstance(error, psycopg.OperationalError):
        return type(error).__name__.lower()
    if connected:
        return "connection_lost"
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return "connect_timeout"
    return "connect_refused" if "refused" in str(error).lower() else "connect_failed"


_GONE = frozenset({"connection_lost", "connect_refused", "connect_timeout", "connect_failed"})
_GONE_STATES = ("57P", "08", "28", "3D")
"""The server ends, the connection is broken, it lets nobody in, the database is not there."""


def means_gone(error: str) -> bool:
    """Whether a failure of this class says that no connection is to be had; from a full server one is, in time."""
    return error in _GONE or error.startswith(tuple(f"sqlstate_{state}" for state in _GONE_STATES))


class ExpiredError(psycopg.OperationalError):
    """There was no answer in the time that was given for it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:.0f} s")


@contextmanager
def bounded(connection: psycopg.Connection, seconds: float) -> Iterator[None]:
    """Break the connection off when the block takes longer: a server that stalls keeps no time itself.

    Raises:
        ExpiredError: when it took longer.
    """
    expired = threading.Event()
    # a number of our own for the socket, which nobody else can close and use again
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:

        def expire() -> None:
            expired.set()
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        except psycopg.Error:
            if not expired.is_set():
                raise
            raise ExpiredError(seconds) from None
        finally:
            timer.cancel()


def keep_open(connection: psycopg.Connection, seconds: float, *, mark: str = "") -> None:
    """Let no setting of the role or the database end a session because it is idle, or its transaction long.

    Args:
        connection: In autocommit mode; closed when that fails.
        seconds: How long the server may take.
        mark: A comment that stands in the statement.

    Raises:
        psycopg.Error: of the connection.
    """
    try:
        with bounded(connection, seconds):
            connection.execute(_STAY.format(mark=mark).encode())
    except psycopg.Error:
        connection.close()
        raise


def break_off(connection: psycopg.Connection) -> None:
    """End a connection that another thread is waiting on; what it had not committed is rolled back."""
    with (
        contextlib.suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as wire,
    ):
        wire.shutdown(socket.SHUT_RDWR)
