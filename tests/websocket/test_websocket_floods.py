"""Floods at wire speed: the run ends in time, in bounded memory, and all that was sent in a named class."""

import asyncio
import os
from collections import Counter
from pathlib import Path

import pytest
from certificates import Authority
from floods import flooding, run_flooded

from nightbench.load.child import run_in_child
from nightbench.load.phases import SECOND
from nightbench.plan import WebSocketPlan
from nightbench.plan.conversation import TlsOptions
from nightbench.websocket.client import CLOSE_SECONDS
from nightbench.websocket.frames import MAX_MESSAGE_BYTES
from nightbench.websocket.result import WebSocketSpec

USERS = 100
MEMORY_BYTES = 300 * 2**20
"""The generator's own, and what one read of the socket brings for each user."""

pytestmark = pytest.mark.greedy


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    here = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(here), str(here.parent)]))


def run_against(url, **plan):
    numbers = {
        "users": USERS, "duration": 1.0, "ramp": 0.2, "warmup": 0.5, "rate": 100, "timeout": 0.5,
        "connect_timeout": 2.0, "reconnect": False, "lost_after": 0.3, "message": "hello", **plan,
    }  # fmt: skip
    spec = WebSocketSpec(WebSocketPlan(**numbers), url, "test")
    running = run_in_child(
        run_flooded, spec, on_progress=lambda _progress: None, stop=asyncio.Event(), grace=5
    )
    return asyncio.run(running)


def check(flooded, *, memory=MEMORY_BYTES):
    """It ended in time, took little memory, and its account adds up."""
    phases = flooded.result.phases
    drain = phases.end - phases.drain
    assert flooded.late < drain + CLOSE_SECONDS * SECOND
    assert flooded.peak < memory
    for accounts in (flooded.result.counted, flooded.result.uncounted):
        for operation, counts in accounts.items():
            counts.check(operation)
            assert counts.in_flight == 0
    assert flooded.result.counted["connection"].ok == USERS


FLOODS = {
    "bombs": {"unknown_id"},
    "chunks": {"late_reply"},
    "unasked messages": {"unknown_id"},
    "empty messages": {"invalid_json"},
    "pings": set(),
    "tiny fragments": set(),
    "empty fragments": set(),
}


@pytest.mark.parametrize(("kind", "stray"), FLOODS.items(), ids=FLOODS)
def test_a_flood_neither_holds_up_the_run_nor_fills_the_memory(kind, stray):
    with flooding(kind, after=USERS) as url:
        flooded = run_against(url, compression=kind == "bombs")
    check(flooded)
    result = flooded.result
    assert set(result.counted["message"].errors + result.uncounted["message"].errors) == {"timeout"}
    assert set(result.stray) == stray
    assert result.lost == Counter()


def test_a_message_that_never_ends_is_too_long_before_it_fills_the_memory():
    with flooding("fragments", after=USERS) as url:
        flooded = run_against(url, timeout=10)
    check(flooded, memory=MEMORY_BYTES + USERS * MAX_MESSAGE_BYTES)
    message = flooded.result.counted["message"].errors + flooded.result.uncounted["message"].errors
    assert set(message) == {"close_1009"}
    assert flooded.result.lost == {"close_1009": USERS}


def test_a_flood_within_tls_does_not_either(tmp_path):
    certificate = Authority(tmp_path).certificate("127.0.0.1")
    with flooding("unasked messages", after=USERS, certificate=certificate) as url:
        check(run_against(url, tls=TlsOptions(verify=False)))
