"""A reference backend that becomes 15 % slower is found over a history of real runs, one that stays is not.

The delay is long beside what a busy machine adds, so that the backend is what is judged.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from warm import NIGHTBENCH, nightbench

from nightbench.blocks import Turn
from nightbench.calibration import HostCalibration
from nightbench.measurement import Role, new_id
from nightbench.night import Night
from nightbench.plan import TierChanges, WebSocketChanges
from nightbench.settings import Settings
from nightbench.subject import Subject
from nightbench.tiers import TIERS
from nightbench.verdict.verdict import SuiteVerdict

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CACHE = Path(os.environ.get("NIGHTBENCH_CACHE") or Path(__file__).parents[2] / ".cache").absolute()
DELAY_MS = 1000
NIGHTS = 10
"""As many as a regression needs."""
MORE_NIGHTS = 10
SEEN = 0.12
P50 = "message.response_time.p50"
PLAN = TIERS["quick"].changed(
    TierChanges(websocket=WebSocketChanges(users=4, duration=0.5, ramp=0.1, warmup=0.1, rate=44))
)


@pytest.fixture(autouse=True)
def _calm_host(monkeypatch):
    """Beside other tests any host is noisy, and on a noisy one nothing is found."""
    monkeypatch.setattr("nightbench.night.calibrate_host", lambda _folder: HostCalibration())


@pytest.fixture
def cache(tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    (CACHE / "postgres").mkdir(parents=True, exist_ok=True)
    (folder / "postgres").symlink_to(CACHE / "postgres")
    yield folder
    shutil.rmtree(folder)


@contextlib.contextmanager
def backend(cache: Path, delay_ms: float):
    """A reference backend of that delay, as nightbench's own: where it listens is no part of what it is."""
    command = (*NIGHTBENCH, "reference", "up", "--json", "--delay", "fixed", "--delay-ms", str(delay_ms))
    environment = {**os.environ, "NIGHTBENCH_CACHE": str(cache)}
    with nightbench().start(*command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            address = json.loads(process.stdout.readline())
            yield Subject(
                websocket_url=address["websocket_url"],
                token=address["token"],
                embedded=frozenset({"websocket"}),
            )
        finally:
            process.send_signal(signal.SIGTERM)


async def load(settings: Settings, subject: Subject) -> Night:
    """A night of one valid block."""
    night = Night(settings, new_id("quick"))
    night.subject = subject
    await block(night)
    return night


async def block(night: Night, role: Role = "night") -> None:
    """A run; on a machine that is too busy for it, another."""
    for _ in range(3):
        measurement = await night.measure(PLAN, Turn("websocket", role))
        if measurement.validity.valid:
            night.record(measurement)
            return
    pytest.fail(f"no valid run: {measurement.validity.reasons}")


async def judged(night: Night) -> SuiteVerdict:
    """The verdict, when what is suspect was repeated."""
    (verdict,) = night.judge("quick")
    if verdict.judged.suspects:
        await block(night, "rerun")
        (verdict,) = night.judge("quick")
    return verdict


async def unchanged_and_slow(settings: Settings, healthy: Subject, slower: Subject):
    """The verdict on an unchanged backend, on a slower one, and on that when it was repeated.

    The history is as long as it takes: while the machine is so disturbed that nobody could see 15 % in it, it
    has another unchanged night.
    """
    for _ in range(NIGHTS // 2):
        await asyncio.gather(load(settings, healthy), load(settings, healthy))
    for _ in range(MORE_NIGHTS):
        unchanged = await judged(await load(settings, healthy))
        if line(unchanged).detectable < SEEN:
            break
    slow = await load(settings, slower)
    (first,) = slow.judge("quick")
    return unchanged, first, await judged(slow)


def line(verdict: SuiteVerdict, metric: str = P50):
    return next(each for each in verdict.judged.lines if each.metric == metric)


def test_a_slowdown_of_15_percent_is_found_and_an_unchanged_backend_is_not_blamed(cache, tmp_path):
    settings = Settings(results=tmp_path / "results", cache=cache)
    with backend(cache, DELAY_MS) as healthy, backend(cache, 1.15 * DELAY_MS) as slower:
        unchanged, first, slow = asyncio.run(unchanged_and_slow(settings, healthy, slower))

    assert line(unchanged).nights >= NIGHTS
    assert line(unchanged).state == "steady"
    # connections are quick, and how quick is the machine's own noise
    assert not [each.metric for each in unchanged.regressions if each.metric.startswith("message.")]

    assert line(first).state == "suspect"
    assert (line(slow).state, slow.state) == ("regression", "regression")
    assert 0.10 < line(slow).effect < 0.20
    assert line(slow).low < line(slow).effect < line(slow).high
