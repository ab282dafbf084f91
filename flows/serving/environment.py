"""What the processes of ``nightbench serve`` find in their environment."""

from __future__ import annotations

import os
from pathlib import Path

from flows.in_process.environment import API_URL, HEARTBEAT, HEARTBEAT_SECONDS, NO_TELEMETRY, without_proxy

_KEPT = (
    "PREFECT_API_AUTH_STRING",
    "PREFECT_SERVER_API_AUTH_STRING",
    "PREFECT_SERVER_SERVICES_",
    "PREFECT_SERVER_UI_V2_ENABLED",
    "PREFECT_UI_URL",
    "PREFECT_WORKER_",
)
"""Beginnings of all that a server of ours and its clients take over of the user's own Prefect: what closes the
server to others, where links lead, which UI is shown first, and how often its services and the worker look."""

_OF_RUNS = {
    **NO_TELEMETRY,
    "PREFECT_API_REQUEST_TIMEOUT": "15",  # a server that hangs is not waited for by a benchmark
    "PREFECT_WORKER_QUERY_SECONDS": "1",  # who starts a run in the UI waits for it
    HEARTBEAT: str(HEARTBEAT_SECONDS),
    # nothing is installed while a benchmark is about to run
    "PREFECT_RUNNER_AUTO_INSTALL_DEPENDENCIES": "false",
}


def of_server(folder: Path, host: str, port: int, database_url: str, *, migrated: bool) -> dict[str, str]:
    """That of the server: nothing of the user's own Prefect, and none of the secrets of what is measured."""
    kept = {name: value for name, value in _without_prefect().items() if not name.startswith("NIGHTBENCH_")}
    return {
        **kept,
        **NO_TELEMETRY,
        "PREFECT_HOME": str(folder / "prefect"),
        # a lease that only the memory knows would be held for ever by a server that was restarted
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_API_HOST": host,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
        "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": str(not migrated).lower(),
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(
            folder / "ui"
        ),  # its package may lie where nobody may write
        "PREFECT_SERVER_UI_API_URL": "/api",  # by whatever name the browser reaches it
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT__SERVER_FINAL": "1",
    }


def of_own_clients(folder: Path, api_url: str) -> dict[str, str]:
    """That of worker, flow runs and whoever makes the deployments, on a server of ours."""
    return {
        **_OF_RUNS,
        **_without_prefect(),
        API_URL: api_url,
        "PREFECT_HOME": str(folder / "prefect"),
        **without_proxy("127.0.0.1"),
    }


def of_clients(api_url: str) -> dict[str, str]:
    """The same on another server: with the user's own Prefect, which may know its key."""
    return {**_OF_RUNS, **os.environ, API_URL: api_url}


def _without_prefect() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PREFECT_") or name.startswith(_KEPT)
    }
