"""What ``nightbench serve`` asks of whoever serves: a function of one `Serving`, which an entry point names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a running ``nightbench serve`` is found.

    Attributes:
        api_url: Of its server, without user and password.
        seconds: What the start took.
    """

    api_url: str
    seconds: float


@dataclass(frozen=True)
class Serving:
    """What is to be served.

    Attributes:
        file: The project's ``prefect.yaml``; ``deployments/automations.yaml`` beside it, where there is one.
        data: The folder of the server's database and of all logs; kept.
        api_url: A server that is there already, or None to run one.
        host: What our own server listens on.
        port: And where; 0 for any that is free, None for Prefect's own 4200.
        worker: Whether runs are to be taken here.
        tell: Takes a line for the user.
        on_ready: Called once, when everything is up.
    """

    file: Path
    data: Path
    api_url: str | None
    host: str
    port: int | None
    worker: bool
    tell: Callable[[str], None]
    on_ready: Callable[[Place], None]
