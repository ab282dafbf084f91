"""A process of ``nightbench serve``: it ends when it is told to, and when its parent dies; its output is kept."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from nightbench.scrub import scrub

MOST_LOG_BYTES = 5_000_000
_TAIL_BYTES = 2000


class Child:
    """A running Python module of ours.

    Attributes:
        name: As the user knows it.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    async def start(
        cls,
        name: str,
        module: str,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str],
        working_directory: Path | None = None,
        stdout: int | None = None,
        pass_fds: Sequence[int] = (),
    ) -> Child:
        """Start ``python -m module``; its output goes to ``folder/logs/name.log``, unless `stdout` is a pipe.

        Its standard input is its lifeline, and a session of its own keeps a terminal's Ctrl-C from it.
        """
        path = folder / "logs" / f"{name.replace(' ', '-')}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > MOST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                module,
                *arguments,
                env={**environment, "PYTHONUNBUFFERED": "1"},
                cwd=working_directory,
                stdin=asyncio.subprocess.PIPE,
                stdout=log if stdout is None else stdout,
                stderr=log,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        return cls(name, process, path)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has."""
        return self._process.returncode is not None

    def say(self, line: str) -> None:
        """Write `line` to its standard input."""
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(f"{line}\n".encode())

    async def lines(self) -> list[str]:
        """What it writes to its piped standard output until it ends."""
        assert self._process.stdout is not None
        return (await self._process.stdout.read()).decode(errors="replace").splitlines()

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await self._process.wait()

    async def end(self, *, grace: float) -> None:
        """Tell it to end, wait for `grace` seconds, then kill it; with it goes whatever it has started."""
        tree = self._family()
        try:
            with contextlib.suppress(ProcessLookupError, TimeoutError):
                self._process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(grace):
                    await self._process.wait()
        finally:  # also when nobody waits any longer
            _kill([*tree, *self._family()])
            assert self._process.stdin is not None
            self._process.stdin.close()
        await self._process.wait()

    def kill(self) -> None:
        """End it at once, and whatever it has started."""
        _kill(self._family())

    def last_words(self) -> str:
        """The end of its log."""
        return scrub(" | ".join(self._tail()[-5:])) or "it wrote no log"

    def last_line(self) -> str:
        """The last line of its log."""
        return scrub("".join(self._tail()[-1:])) or "it wrote no log"

    def _family(self) -> list[psutil.Process]:
        """It and all that come of it, as far as they live; none once it has ended, when its number is another's."""
        if self.ended:
            return []
        try:
            process = psutil.Process(self.pid)
            return [process, *process.children(recursive=True)]
        except psutil.Error:
            return []

    def _tail(self) -> list[str]:
        try:
            return self.log.read_text(errors="replace")[-_TAIL_BYTES:].strip().splitlines()
        except OSError:
            return []


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):  # gone, and its number may be another's by now
            process.kill()
