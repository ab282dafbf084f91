"""The subject of every benchmark: a bare WebSocket server on uvloop, in a process and on a core of its own.

It speaks the default conversation: each chat message is answered with one ``done``. It runs until its
standard input ends; then it says on standard output what it counted. Run as a program::

    python -m benchmarks.servers echo
    python -m benchmarks.servers drawn --distribution log-normal --seed 1 --log replies.npy
    python -m benchmarks.servers stall --stall-after 400 --stall-seconds 1.4
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import sys
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from benchmarks.delays import DISTRIBUTIONS, drawn_delays
from benchmarks.wire import (
    OP_BINARY,
    OP_CLOSE,
    OP_PING,
    OP_TEXT,
    cut_frames,
    done_reply,
    frame,
    handshake_answer,
)

BACKLOG = 16_384
_PONG = 0xA
_clock = time.perf_counter_ns  # CLOCK_MONOTONIC on Linux: the generator's clock, too


@dataclass
class Account:
    """What the server saw.

    Attributes:
        replies: Arrival and reply of each message in turn, monotonic ns, where they are logged.
        stall: When it stood still, from and to, monotonic ns; None when it has not.
    """

    connections: int = 0
    messages: int = 0
    replies: array[int] = field(default_factory=lambda: array("q"))
    stall: tuple[int, int] | None = None

    def tell(self, event: str) -> None:
        """Write one line for the parent: `event` and the counts so far."""
        line = {"event": event, "connections": self.connections, "messages": self.messages}
        sys.stdout.write(json.dumps({**line, "stall": self.stall}) + "\n")
        sys.stdout.flush()


Answer = Callable[["Session", bytes], None]
"""What becomes of a message of a session."""


class Session(asyncio.Protocol):
    """One connection."""

    __slots__ = ("_account", "_answer", "_rest", "_upgraded", "transport")

    def __init__(self, account: Account, answer: Answer) -> None:
        self._account = account
        self._answer = answer
        self._rest = b""
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there (asyncio)."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # a server's is a Transport

    def data_received(self, data: bytes) -> None:
        """Bytes arrived (asyncio)."""
        data = self._rest + data if self._rest else data
        if not self._upgraded:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            self._upgraded = True
            self._account.connections += 1
            if self._account.connections == 1:
                self._account.tell("first_connection")
            self.transport.write(handshake_answer(head))
        frames, self._rest = cut_frames(data)
        for opcode, payload in frames:
            if opcode in {OP_TEXT, OP_BINARY}:
                self._account.messages += 1
                if self._account.messages == 1:
                    self._account.tell("first_message")
                self._answer(self, payload)
            elif opcode == OP_PING:
                self.transport.write(frame(payload, _PONG))
            elif opcode == OP_CLOSE:
                self.transport.write(frame(payload[:2], OP_CLOSE))
                self.transport.close()


def echo(session: Session, message: bytes) -> None:
    """Answer at once."""
    session.transport.write(done_reply(message))


def drawn(account: Account, distribution: str, seed: int) -> Answer:
    """Answer after the next drawn delay, and log what it became by the server's own clock."""
    delays = drawn_delays(distribution, seed)
    loop = asyncio.get_running_loop()

    def reply(session: Session, message: bytes, arrived: int) -> None:
        if not session.transport.is_closing():
            session.transport.write(done_reply(message))
            account.replies.extend((arrived, _clock()))

    def answer(session: Session, message: bytes) -> None:
        loop.call_later(next(delays), reply, session, message, _clock())

    return answer


def stalling(account: Account, after: int, seconds: float) -> Answer:
    """Answer at once, but stand still as a whole for a while after so many messages, as in a long GC pause."""

    def answer(session: Session, message: bytes) -> None:
        if account.messages == after:
            began = _clock()
            time.sleep(seconds)  # the loop is blocked on purpose
            account.stall = (began, _clock())
        echo(session, message)

    return answer


async def serve(options: argparse.Namespace) -> None:
    """Serve on a free loopback port until standard input ends."""
    account = Account()
    answers: dict[str, Callable[[], Answer]] = {
        "echo": lambda: echo,
        "drawn": lambda: drawn(account, options.distribution, options.seed),
        "stall": lambda: stalling(account, options.stall_after, options.stall_seconds),
    }
    answer = answers[options.kind]()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(account, answer), "127.0.0.1", 0, backlog=BACKLOG)
    gc.collect()
    gc.freeze()
    sys.stdout.write(json.dumps({"event": "listening", "port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await _end_of_input()
    server.close()
    if options.log is not None:
        np.save(options.log, np.frombuffer(account.replies, dtype=np.int64).reshape(-1, 2))
    account.tell("end")


async def _end_of_input() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    with contextlib.closing(transport):
        await reader.read()


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="benchmarks.servers", description=__doc__)
    parser.add_argument("kind", choices=("echo", "drawn", "stall"))
    parser.add_argument("--distribution", choices=sorted(DISTRIBUTIONS), default="log-normal")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, help="where arrival and reply of each message are saved (.npy)")
    parser.add_argument("--stall-after", type=int, default=400)
    parser.add_argument("--stall-seconds", type=float, default=1.4)
    options: Any = parser.parse_args(arguments)
    uvloop.run(serve(options))


if __name__ == "__main__":
    main()
