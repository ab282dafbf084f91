"""Who is measured: the command lines of nightbench and its peers, for the same users and messages."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT, ContenderError, Cost, OnSample, Server, run

PEERS = Path(os.environ.get("BENCH_PEERS") or ROOT / ".bench-venv")
"""The virtual environment of k6 and Locust; `make bench` makes it."""

NIGHTBENCH = "nightbench"

MESSAGE = "How much did I spend on groceries this month?"

_START_SECONDS = 60.0
"""What a contender may take beyond its load, to start and to end."""


@dataclass(frozen=True)
class Chat:
    """What a contender is to do.

    Attributes:
        rate: Messages per second of all users; None is the closed loop without thinking.
    """

    users: int
    seconds: float
    rate: float | None = None

    def environment(self, url: str) -> dict[str, str]:
        """The same for the scripts of the peers."""
        return {
            "URL": url,
            "USERS": str(self.users),
            "SECONDS": f"{self.seconds:g}",
            "RATE": f"{self.rate or 0:g}",
            "MESSAGE": MESSAGE,
        }


Contender = Callable[[Server, Chat], Cost]
"""What does so. One that accounts for what it did says that as JSON in the output of its cost."""


def plan_of(chat: Chat, **changes: Any) -> dict[str, Any]:
    """The fields of a nightbench plan that does what `chat` says."""
    pace: dict[str, Any] = {"model": "closed", "think": 0} if chat.rate is None else {"rate": chat.rate}
    return {"users": chat.users, "duration": chat.seconds, "ramp": 0.2, "warmup": 0, **pace, **changes}


def nightbench(
    server: Server, plan: Mapping[str, Any], *, on_sample: OnSample | None = None
) -> tuple[Cost, dict[str, Any]]:
    """Run nightbench's generator; what it cost, and the document of `benchmarks.generator`.

    Raises:
        ContenderError: when it failed.
    """
    command = [sys.executable, "-m", "benchmarks.generator", server.url, json.dumps(plan)]
    within = plan["duration"] + plan.get("ramp", 0) + _START_SECONDS
    cost = checked(run(command, heard_by=server, within=within, on_sample=on_sample), "nightbench")
    return cost, json.loads(cost.output)


def nightbench_chat(**changes: Any) -> Contender:
    """What runs nightbench with so changed a plan; its output is the document of `benchmarks.generator`."""

    def contender(server: Server, chat: Chat) -> Cost:
        cost, _ = nightbench(server, plan_of(chat, **changes))
        return cost

    return contender


def k6(
    script: str,
    server: Server,
    environment: Mapping[str, str],
    *,
    seconds: float,
    summary: Path | None = None,
    on_sample: OnSample | None = None,
) -> Cost:
    """Run a script of `benchmarks/peers` with k6; its metrics go into the JSON file `summary`.

    Raises:
        ContenderError: when it failed.
    """
    command = [
        str(peer("k6")),
        *("run", "--quiet", "--no-usage-report", "--log-output", "stderr"),
        *(("--summary-export", str(summary)) if summary else ()),
        str(ROOT / "benchmarks" / "peers" / script),
    ]
    return checked(
        run(
            command,
            heard_by=server,
            environment=environment,
            within=seconds + _START_SECONDS,
            on_sample=on_sample,
        ),
        f"k6 {script}",
    )


def k6_chat(script: str) -> Contender:
    """What runs k6 with one of its two scripts of exchanges; its output is how many were `ok` and `failed`."""
    return lambda server, chat: k6(script, server, chat.environment(server.url), seconds=chat.seconds)


def locust(server: Server, chat: Chat) -> Cost:
    """Run the Locust file.

    Raises:
        ContenderError: when it failed.
    """
    command = [
        str(peer("locust")),
        *("--locustfile", str(ROOT / "benchmarks" / "peers" / "locustfile.py")),
        *("--headless", "--only-summary", "--loglevel", "ERROR"),
        *("--users", str(chat.users), "--spawn-rate", str(chat.users), "--run-time", f"{chat.seconds:g}s"),
    ]
    environment = chat.environment(server.url)
    within = chat.seconds + _START_SECONDS
    return checked(run(command, heard_by=server, environment=environment, within=within), "locust")


def floor(module: str) -> Contender:
    """A program of `benchmarks/peers` that counts nothing."""

    def contender(server: Server, chat: Chat) -> Cost:
        command = [
            *(sys.executable, "-m", f"benchmarks.peers.{module}"),
            *(server.url, str(chat.users), f"{chat.seconds:g}", MESSAGE, f"{chat.rate or 0:g}"),
        ]
        return checked(run(command, heard_by=server, within=chat.seconds + _START_SECONDS), module)

    return contender


def checked(cost: Cost, name: str) -> Cost:
    """`cost`, unless the contender failed: what it said last is in the error."""
    if cost.exit_code != 0:
        said = (cost.errors or cost.output)[-2000:]
        msg = f"{name} ended with exit code {cost.exit_code}: {said}"
        raise ContenderError(msg)
    return cost


def peer(name: str) -> Path:
    """Where a program of `PEERS` is.

    Raises:
        ContenderError: when it is not installed.
    """
    path = PEERS / "bin" / name
    if not path.exists():
        msg = f"{path} is not there: run `make bench`, which installs the peers"
        raise ContenderError(msg)
    return path
