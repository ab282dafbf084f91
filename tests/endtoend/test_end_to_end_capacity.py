"""``nightbench capacity`` finds how many connections a real backend takes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from warm import NIGHTBENCH, nightbench

from nightbench.cli import run_command
from nightbench.history.store import HistoryStore

pytestmark = pytest.mark.timeout(300)

CACHE = Path(os.environ.get("NIGHTBENCH_CACHE") or Path(__file__).parents[2] / ".cache").absolute()
ROOM = 20
PLAN = f"""
[websocket]
users = {ROOM}
rate = 60.0
warmup = 0.0
"""


@pytest.fixture
def backend(tmp_path, monkeypatch):
    """A reference backend with room for so many users, as the settings name it."""
    monkeypatch.chdir(tmp_path)
    command = (*NIGHTBENCH, "reference", "up", "--json", "--most-connections", str(ROOM))
    environment = {**os.environ, "NIGHTBENCH_CACHE": str(CACHE)}
    with nightbench().start(*command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            address = json.loads(process.stdout.readline())
            monkeypatch.setenv("NIGHTBENCH_WEBSOCKET_URL", address["websocket_url"])
            monkeypatch.setenv("NIGHTBENCH_TOKEN", address["token"])
            monkeypatch.setenv("NIGHTBENCH_CACHE", str(tmp_path / "cache"))
            yield address
        finally:
            process.send_signal(signal.SIGTERM)


def test_the_knee_of_a_real_backend_is_found_within_5_percent(backend, capsys):
    Path("plan.toml").write_text(PLAN)
    search = ("--start", "16", "--highest", "24", "--seconds", "1", "--plan", "plan.toml")
    code = run_command(["capacity", "websocket", *search, "--json", "-"])
    out, err = capsys.readouterr()
    answer = json.loads(out)["answer"]
    assert code == 0, err
    assert answer["confirmed"]
    assert abs(answer["load"] / ROOM - 1) <= 0.05
    assert set(HistoryStore("results").runs()["role"]) == {"capacity"}
