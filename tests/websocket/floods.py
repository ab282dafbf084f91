"""A server that floods its clients at wire speed, and a load test of it: each in a process of its own."""

import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from memory import peak_memory

from nightbench.load.phases import SECOND
from nightbench.websocket.generator import run_generator
from nightbench.websocket.result import WebSocketResult

PROGRAM = Path(__file__).with_name("flood_server.py")


@contextmanager
def flooding(kind, *, after, certificate=()):
    """The address of a server that floods with this kind of frames as soon as so many have come."""
    arguments = [sys.executable, str(PROGRAM), kind, str(after), *map(str, certificate)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        port = int(process.stdout.readline())
        try:
            yield f"{'wss' if certificate else 'ws'}://127.0.0.1:{port}/"
        finally:
            process.stdin.close()


@dataclass
class Flooded:
    """What came of a flooded load test.

    `late` is how much later than planned it ended, ns of its own clock; `peak` the most memory it had, bytes.
    """

    result: WebSocketResult
    late: int
    peak: int


def run_flooded(spec, on_progress, stop):
    """The WebSocket load generator, with what it took."""
    result = run_generator(spec, on_progress, stop)
    took = time.time_ns() - round(result.started_at.timestamp() * SECOND)
    return Flooded(result, took - result.phases.end, peak_memory())
