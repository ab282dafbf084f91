"""Runs of the shared stack to which something happens, each with folders of its own, and what is left of them."""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from builders import with_metric
from stack import Stack
from staging import touch

from nightbench.history.store import HistoryStore

WAITS = "staging:until_stopped"
_NEW_MOUNTS = 0x00020000  # CLONE_NEWNS


class Scene:
    """One run.

    Attributes:
        folder: Its results, outbox, cache and slots.
        id: Of the run.
    """

    def __init__(
        self,
        stack: Stack,
        folder: Path,
        name: str,
        *,
        staged: Mapping[str, str] | None,
        env: Mapping[str, str] | None = None,
        tags: Sequence[str] = (),
    ) -> None:
        self.stack = stack
        self.folder = folder
        for each in ("results", "outbox"):
            (folder / each).mkdir(parents=True, exist_ok=True)
        folders = {
            "NIGHTBENCH_RESULTS": folder / "results",
            "NIGHTBENCH_OUTBOX": folder / "outbox",
            "NIGHTBENCH_RUN__SLOTS": folder / "slots",
        }
        variables = {each: str(value) for each, value in folders.items()} | dict(env or {})
        self.id = stack.run(name, {"quick": True}, staged=staged, env=variables, tags=tags)
        self.ended_after = 0.0

    def began(self, what: str = "began") -> psutil.Process:
        """The process of the run, once a staged suite has touched its file."""
        file = self.folder / "results" / f"{self.id}.{what}"
        pid = self.stack.until(
            lambda: int(file.read_text() or 0) if file.exists() else None,
            within=120,
            tell=lambda: self.stack.story(self.id),
        )
        return psutil.Process(pid)

    def ended(self, process: psutil.Process) -> None:
        """Wait until the process is gone; how long that took is kept."""
        begun = time.monotonic()
        self.stack.until(lambda: not _runs(process), within=60, tell=lambda: self.stack.story(self.id))
        self.ended_after = time.monotonic() - begun

    @property
    def states(self) -> list[dict]:
        """All that the run went through, in order."""
        states = self.stack.read(f"/flow_run_states/?flow_run_id={self.id}")
        return sorted(states, key=lambda state: state["timestamp"])

    @property
    def kept(self) -> dict[str, bool]:
        """What the dataset has: whether it is complete, by tier and suite."""
        runs = HistoryStore(self.folder / "results").runs()
        return {f"{run.tier} {run.suite}": bool(run.complete) for run in runs.itertuples()}


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@contextmanager
def deaf_server(on_asked):
    """A server that takes a connection, calls `on_asked`, and never answers; its DSN."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held = []

        def take() -> None:
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    return
                on_asked()

        threading.Thread(target=take, daemon=True).start()
        yield f"http://key@127.0.0.1:{listener.getsockname()[1]}/1"
    for each in held:
        each.close()


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """A process stands still inside the block."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


async def slow_once_released(measurement, stop):
    """A suite that runs until there is a file, and misses a target."""
    touch("began")
    release = Path(os.environ["NIGHTBENCH_RESULTS"]) / "release"
    while not release.exists() and not stop.is_set():  # noqa: ASYNC110  # another process makes the file
        await asyncio.sleep(0.1)
    return slow(measurement, stop)


def slow(measurement, _stop):
    """A suite that misses a target."""
    return with_metric(measurement, "message.response_time.p95", 60_000.0)


def on_a_small_disk(measurement, _stop):
    """A suite after which there is no room for results; of this process alone."""
    results = os.environ["NIGHTBENCH_RESULTS"]
    assert not ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS), os.strerror(ctypes.get_errno())
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "nightbench-test", results], check=True)
    return measurement
