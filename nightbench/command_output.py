"""What a program of the user's prints, within its time, and nothing of it left running."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import IO

from nightbench.files import reason

_NOTHING: Mapping[str, str] = MappingProxyType({})


class CommandError(Exception):
    """Why a program gave no output; its arguments, which may be secrets, are not in it.

    Attributes:
        problem: What is wrong.
        way_out: What to do about it.
    """

    def __init__(self, problem: str, way_out: str = "run it by hand to see why") -> None:
        self.problem = problem
        self.way_out = way_out
        super().__init__(f"{problem}; {way_out}")


async def output_of(
    command: Sequence[str],
    *,
    seconds: float,
    most_bytes: int,
    variables: Mapping[str, str] = _NOTHING,
) -> bytes:
    """What `command` prints; what it says on stderr is its own, and is not kept.

    However this ends, also when it is cancelled, the command is ended with its process group.

    Args:
        command: The program and its arguments, which may be secrets.
        seconds: What it may take from its start to its end.
        most_bytes: That it may print.
        variables: Of its environment, beside those of this process.

    Raises:
        CommandError: when it cannot be run, takes too long or fails.
        OverflowError: when it prints more than it may.
    """
    async with _pipe() as (output, its_end):
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=its_end,
                stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, **variables},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            problem = f"cannot be run: {reason(error)}"
            raise CommandError(problem, "name a program and its arguments") from None
        finally:
            its_end.close()
        try:
            async with asyncio.timeout(seconds):
                printed = await _read_all(output, most_bytes)
                await process.wait()
        except TimeoutError:
            problem = f"took longer than {seconds:g} s"
            raise CommandError(problem) from None
        finally:
            with suppress(ProcessLookupError):  # it, and what it left behind
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        problem = f"ended with exit code {process.returncode}"
        raise CommandError(problem)
    return printed


@asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[asyncio.StreamReader, IO[bytes]]]:
    """What is read here, and the end for the command, which is to be closed here once it has its own.

    Not a pipe of asyncio's subprocess: that waits, after the process has ended, for whoever else holds it.
    """
    ours, its = os.pipe()
    reader = asyncio.StreamReader()
    with os.fdopen(its, "wb", buffering=0) as its_end:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0)
        )
        try:
            yield reader, its_end
        finally:
            transport.close()


async def _read_all(output: asyncio.StreamReader, most_bytes: int) -> bytes:
    """What comes until the output is closed.

    Raises:
        OverflowError: when it is more than `most_bytes`.
    """
    content = bytearray()
    while some := await output.read(2**16):
        content += some
        if len(content) > most_bytes:
            raise OverflowError
    return bytes(content)
