"""The program that makes tokens: what it prints, within its time, and nothing of it left running."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import IO

from nightbench.errors import ConfigurationError
from nightbench.files import reason

MOST_BYTES = 256 * 2**20
"""Of all tokens together."""
USERS_VARIABLE = "NIGHTBENCH_USERS"
"""Tells the command how many tokens are wanted."""


async def output_of(command: Sequence[str], users: int, *, seconds: float) -> bytes:
    """What `command` prints; what it says on stderr is its own, and is not kept.

    However this ends, also when it is cancelled, the command is ended with its process group.

    Args:
        command: The program and its arguments, which may be secrets.
        users: How many tokens are wanted.
        seconds: What it may take from its start to its end.

    Raises:
        ConfigurationError: when it cannot be run, takes too long, prints too much or fails.
    """

    def wrong(problem: str, way_out: str = "run it by hand to see why") -> ConfigurationError:
        # its arguments may be secrets
        return ConfigurationError("tokens.command", command[0], problem, way_out)

    async with _pipe() as (output, its_end):
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=its_end,
                stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, USERS_VARIABLE: str(users)},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise wrong(f"cannot be run: {reason(error)}", "name a program and its arguments") from None
        finally:
            its_end.close()
        try:
            async with asyncio.timeout(seconds):
                printed = await _read_all(output)
                await process.wait()
        except TimeoutError:
            raise wrong(f"took longer than {seconds:g} s") from None
        except OverflowError:
            raise wrong(f"prints more than {MOST_BYTES // 2**20} MiB", "a token a line") from None
        finally:
            with suppress(ProcessLookupError):  # it, and what it left behind
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        raise wrong(f"ended with exit code {process.returncode}")
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


async def _read_all(output: asyncio.StreamReader) -> bytes:
    """What comes until the output is closed.

    Raises:
        OverflowError: when it is more than all tokens may be.
    """
    content = bytearray()
    while some := await output.read(2**16):
        content += some
        if len(content) > MOST_BYTES:
            raise OverflowError
    return bytes(content)
