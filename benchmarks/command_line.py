"""``nightbench websocket`` as somebody would type it, with the settings of nobody."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.processes import ROOT, ContenderError, OnSample, Server, run

_START_SECONDS = 120.0
"""What a run may take beyond its load."""
_GENERATOR = "nb.generator"
"""What a process that generates load calls itself."""


@dataclass(frozen=True)
class CommandRun:
    """What one command came to.

    Attributes:
        document: What it wrote as JSON.
    """

    exit_code: int
    document: dict[str, Any]

    @property
    def valid(self) -> bool:
        """Whether it could be trusted."""
        return bool(self.document["validity"]["valid"])

    @property
    def reasons(self) -> list[str]:
        """Why not."""
        return list(self.document["validity"]["reasons"])

    def metric(self, name: str) -> float | None:
        """The value of a metric."""
        return next((row["value"] for row in self.document["metrics"] if row["name"] == name), None)


def command(
    subject: Server,
    plan: Mapping[str, float],
    folder: Path,
    *,
    core: int | None = None,
    on_sample: OnSample | None = None,
) -> CommandRun:
    """Load `subject` by command, in `folder`, whose ``nightbench.toml`` counts and where results are kept.

    Args:
        subject: What to load.
        plan: Flags of the plan and their values.
        folder: Where to run it.
        core: The one that it is held to; None for any.
        on_sample: See `run`.

    Raises:
        ContenderError: when it wrote no document.
    """
    flags = [part for name, value in plan.items() for part in (f"--{name}", f"{value:g}")]
    cost = run(
        [
            *(sys.executable, "-m", "nightbench", "websocket", "--url", subject.url),
            *flags,
            *("--results", str(folder / "results"), "--json", "-"),
        ],
        heard_by=subject,
        environment={"PYTHONPATH": str(ROOT), "NIGHTBENCH_CACHE": str(folder / "cache")},
        folder=folder,
        core=core,
        within=plan["duration"] + _START_SECONDS,
        on_sample=on_sample,
    )
    try:
        return CommandRun(cost.exit_code, json.loads(cost.output))
    except ValueError:
        msg = f"nightbench ended with exit code {cost.exit_code} and no document: {cost.errors[-2000:]}"
        raise ContenderError(msg) from None


def generator_of(command: psutil.Process) -> psutil.Process | None:
    """The process of a command that generates its load, or None when there is none."""
    for child in command.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.name() == _GENERATOR:
                return child
    return None
