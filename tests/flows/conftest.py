from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import urllib.request
from pathlib import Path

import pytest
import templates

sys.path.insert(0, str(Path(__file__).parent))

from staged import Stages, provide_staged_subject, staged_host

from flows.in_process.server import embedded_server
from nightbench.settings import Settings

CACHE = Path(os.environ.get("NIGHTBENCH_CACHE") or Path(__file__).parents[2] / ".cache").absolute()


def pytest_collection_modifyitems(items):
    """Prefect leaves a client of its own unclosed in every flow run (results.py: default result storage)."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))


@pytest.fixture(autouse=True, scope="module")
def _leftovers_stay_here():
    yield
    gc.collect()


@pytest.fixture(scope="session")
def server_cache(tmp_path_factory) -> Path:
    """Where the database template lies: the project's cache under make, so that it is made once."""
    given = os.environ.get("NIGHTBENCH_CACHE")
    return Path(given) if given else tmp_path_factory.mktemp("server-cache")


@pytest.fixture(scope="session")
def prefect_template(server_cache) -> Path:
    """The database from which a server of the tests starts at once."""
    return templates.prefect_template(server_cache)


@pytest.fixture(scope="session")
def prefect_server(server_cache, tmp_path_factory):
    """One real server for all tests of flows."""
    with embedded_server(server_cache, tmp_path_factory.mktemp("prefect")) as server:
        asyncio.run(server.ready())
        yield server
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogHandler

        APILogHandler().flush()
        EventsWorker.drain_all(timeout=5)


@pytest.fixture
def api(prefect_server, monkeypatch):
    """The server as the user's own; call it to ask it something."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_server.api_url)

    def ask(path: str, **body):
        request = urllib.request.Request(
            f"{prefect_server.api_url}/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    return ask


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(results=tmp_path / "results", cache=tmp_path / "cache")


@pytest.fixture
def stages(monkeypatch) -> Stages:
    """Staged suites and subject in the place of the real ones; everything behind them is real."""
    staged = Stages()
    monkeypatch.setattr("nightbench.websocket.load_test.run", staged.websocket)
    monkeypatch.setattr("nightbench.database.stress_test.run", staged.database)
    monkeypatch.setattr("nightbench.night.provide", provide_staged_subject)
    monkeypatch.setattr("nightbench.night.calibrate_host", staged_host)
    return staged
