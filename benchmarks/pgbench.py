"""pgbench, of the same wheel as the server: its script of the one transaction, its command line and its log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from psycopg.conninfo import conninfo_to_dict

from benchmarks.database import OFFSETS, SET_TENANT, STATEMENT, TENANTS, WORKERS, Database
from benchmarks.truth import Nanoseconds
from nightbench.reference.programs import command, hand_over

_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
}
_LOG = "transactions"
_CLAIMS = '\'{"sub": "\' || md5(\'nightbench-tenant-\' || :tenant)::uuid || \'", "role": "authenticated"}\''
"""pgbench has numbers only, so that the server makes the id of a tenant out of its own: 2 µs or so."""
_DRAWS = f"\\set tenant random(1, {TENANTS})\n\\set offset {OFFSETS[1]} * random(0, {len(OFFSETS) - 1})\n"

SCRIPT = f"""{_DRAWS}BEGIN READ ONLY;
{SET_TENANT.format(_CLAIMS)};
{STATEMENT.sql.replace("%(offset)s", ":offset")};
COMMIT;
"""
"""Each statement in a round trip, prepared once a connection, as pgbench does it."""

TOGETHER = SCRIPT.replace("BEGIN", "\\startpipeline\nBEGIN").replace("true);\n", "true);\n\\endpipeline\n", 1)
"""The same with BEGIN and the tenant's settings in one round trip."""


def pgbench(folder: Path, *options: str, script: str = SCRIPT) -> list[str]:
    """The command line that runs a script in a folder of its own, with a connection for each worker.

    Args:
        folder: Which is handed over to the user that pgbench runs as.
        options: Of pgbench, such as ``--rate=200``.
        script: What to run.
    """
    hand_over(folder)
    path = folder / "script.sql"
    path.write_text(script, encoding="utf-8")
    hand_over(path)
    return command(
        "pgbench",
        *("--no-vacuum", "--protocol=prepared", f"--client={WORKERS}", f"--file={path}"),
        *options,
    )


def logged(folder: Path) -> tuple[str, ...]:
    """The options with which it logs each transaction, for `service_times`."""
    return ("--log", f"--log-prefix={folder / _LOG}")


def environment(subject: Database) -> dict[str, str]:
    """How libpq finds the database without a password in a command line."""
    given = conninfo_to_dict(subject.dsn)
    return {variable: str(given[name]) for name, variable in _VARIABLES.items()}


def service_times(folder: Path, *, skip_seconds: float) -> Nanoseconds:
    """How long each logged transaction took from its begin, in ns.

    With a rate, the log tells the time since a transaction was due, and how much of it was lag.

    Args:
        folder: That of the `logged` options; it ran with ``--rate``.
        skip_seconds: What is left out at the beginning.
    """
    rows = [_transaction(line) for path in folder.glob(f"{_LOG}.*") for line in path.read_text().splitlines()]
    log = np.array(rows, dtype=np.int64).reshape(-1, 3)
    ended, latency, lag = log.T  # µs
    measured = ended >= ended.min(initial=2**62) + round(skip_seconds * 1e6)
    times: Nanoseconds = (latency - lag)[measured] * 1000
    return times


def _transaction(line: str) -> Sequence[int]:
    """When it ended (epoch), its time since it was due, and its lag, in µs."""
    _client, _number, latency, _script, seconds, microseconds, lag, *_ = line.split()
    return int(seconds) * 1_000_000 + int(microseconds), int(latency), int(lag)
