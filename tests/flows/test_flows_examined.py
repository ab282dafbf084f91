"""What the doctor asks a Prefect server: of one that answers as it is told, and of none."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from http_served import http_served

from flows.serving.examined import examine_prefect
from nightbench import settings as settings_module
from nightbench.errors import ConfigurationError

POOL = {"name": "nightbench", "is_paused": False, "type": "process"}
WORKER = {"status": "ONLINE", "name": "w", "last_heartbeat_time": "2026-11-27T03:15:00Z"}
NIGHTLY = {
    "id": "4c0cbd8e-6a5e-4d1c-9a4c-0c1d8b6f7e11",
    "name": "nightly",
    "version": "1",
    "entrypoint": "flows/nightly.py:nightly",
    "paused": False,
    "schedules": [{"active": True, "schedule": {"cron": "15 3 * * *", "timezone": "UTC"}}],
    "work_pool_name": "nightbench",
}
WELL: dict[str, Any] = {
    "/health": True,
    "/admin/version": "3.8.8",
    "/deployments/filter": [NIGHTLY],
    "/work_pools/nightbench": POOL,
    "/work_pools/nightbench/workers/filter": [WORKER],
    "/flow_runs/filter": [],
    "/v2/concurrency_limits/filter": [],
}


@contextmanager
def prefect_api(**changes: Any):
    """A server that answers so, and with 404 to all else."""
    answers = {**WELL, **changes}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            known = answers.get(self.path.partition("?")[0].removeprefix("/api"))
            body = json.dumps(known).encode()
            self.send_response(404 if known is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

    with http_served(Handler) as port:
        yield f"http://127.0.0.1:{port}/api"


def _examined(tmp_path):
    return {each.name: each for each in examine_prefect(settings_module.load(), tmp_path / "data")}


@pytest.mark.parametrize(
    ("changes", "name", "state"),
    [
        ({}, "server", "ok"),
        ({}, "worker", "ok"),
        ({}, "deployments", "failure"),  # nightly alone is not all of the file
        ({}, "schedule", "warning"),  # no run of it is scheduled
        ({}, "concurrency", "ok"),
        ({"/admin/version": "3.1.0"}, "server", "warning"),
        ({"/work_pools/nightbench": None}, "work pool", "failure"),
        ({"/work_pools/nightbench": {**POOL, "is_paused": True}}, "work pool", "failure"),
        ({"/work_pools/nightbench/workers/filter": [{**WORKER, "status": "OFFLINE"}]}, "worker", "failure"),
        ({"/deployments/filter": [{**NIGHTLY, "schedules": []}]}, "schedule", "failure"),
        (
            {"/v2/concurrency_limits/filter": [{"name": "deployment:x", "active_slots": 1, "limit": 1}]},
            "concurrency",
            "failure",
        ),
        (
            {"/flow_runs/filter": [{"name": "red-fox", "start_time": "2026-11-01T03:15:00Z"}]},
            "runs",
            "failure",
        ),
    ],
)
def test_what_the_server_says_is_judged(tmp_path, monkeypatch, changes, name, state):
    with prefect_api(**changes) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        assert _examined(tmp_path)[name].state == state


@pytest.mark.parametrize(
    ("answer", "says"),
    [(None, "HTTP 404"), ([{"no": "name"}], "KeyError")],
    ids=["nothing", "something else"],
)
def test_another_server_than_prefects_is_told_apart(tmp_path, monkeypatch, answer, says):
    with prefect_api(**{"/deployments/filter": answer}) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        found = _examined(tmp_path)["server"]
    assert found.state == "failure"
    assert f"not as a Prefect server does: {says}" in found.why
    assert "PREFECT_API_URL" in found.mend


def test_nobody_there_is_told_with_the_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    with pytest.raises(ConfigurationError, match="PREFECT_API_URL"):
        _examined(tmp_path)


def test_without_a_server_nights_are_run_by_hand(tmp_path):
    found = _examined(tmp_path)
    assert found["server"].state == "ok"
    assert "nightbench serve" in found["server"].why


def test_a_nightbench_serve_of_this_machine_is_found_by_what_it_says(tmp_path):
    (tmp_path / "data").mkdir()
    with prefect_api() as url:
        (tmp_path / "data" / "own.lock").write_text(f"at {url}")
        assert "answers" in _examined(tmp_path)["server"].why
    assert "by hand" in _examined(tmp_path)["server"].why  # it has ended, and its word is still there
