"""What a quick nightly takes beside its load: with the embedded server, and as a run of its deployment.

Seconds that pass, on a machine that does nothing else, from the command or the click to the end, less what the plans
say that load takes: ramp, warm-up and measurement of every suite. Each is run once before, so that all is warm.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.processes import ROOT, ContenderError
from benchmarks.served_night import run_deployment, serving
from benchmarks.table import Figure, Goal, over_rounds
from nightbench.plan import TierPlan
from nightbench.tiers import NIGHTLY, TIERS, shortened, tiers_of

ROUNDS = 3
OF_A_DEPLOYMENT = Goal("<=", 15)
EMBEDDED = Goal("<=", 25)
HELP = Goal("<=", 1)

_COMMAND = ("run", NIGHTLY, "--quick", "--json", "-")
_WHOLE = frozenset({0, 1, 3})
"""Exit codes of a night that ran to its end, whatever this machine made of it."""

Parts = dict[str, float]
"""Seconds by part, the `total` and the `load` among them."""


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Three rounds of each, and ``nightbench --help``."""
    with tempfile.TemporaryDirectory(prefix="overhead-") as made:
        folder = Path(made)
        environment = _environment(folder)
        embedded = _rounds(say, "embedded server", lambda: _command(folder, environment))
        with serving(folder, environment) as api:
            deployed = _rounds(say, "deployment", lambda: _deployment(api))
            external = environment | {"PREFECT_API_URL": api}
            beside = _rounds(say, "command, running server", lambda: _command(folder, external))
        helped = [_help(folder, environment) for _ in range(ROUNDS)]
    return [
        *_figures("embedded server", embedded, EMBEDDED),
        *_figures("deployment", deployed, OF_A_DEPLOYMENT),
        *_figures("command, running server", beside, OF_A_DEPLOYMENT),
        over_rounds("nightbench --help", helped, "s", HELP),
    ]


def load_seconds() -> float:
    """What the plans of a quick nightly say that its load takes, without drains."""
    return sum(_load_of(shortened(TIERS[tier])) for tier in tiers_of(NIGHTLY))


def _load_of(plan: TierPlan) -> float:
    websocket, database = plan.websocket, plan.database
    return (
        websocket.ramp_seconds
        + websocket.warmup
        + websocket.duration
        + database.warmup
        + database.queries / database.queries_per_second
    )


def _environment(folder: Path) -> dict[str, str]:
    """Nobody's settings; results and slots in `folder`, and the cache that the project has."""
    mine = ("NIGHTBENCH_", "PREFECT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "",
        "NIGHTBENCH_CACHE": os.environ.get("NIGHTBENCH_CACHE", str(ROOT / ".cache")),
        "NIGHTBENCH_RESULTS": str(folder / "results"),
        "NIGHTBENCH_RUN__SLOTS": str(folder / "slots"),
    }


def _rounds(say: Callable[[str], None], name: str, night: Callable[[], Parts]) -> list[Parts]:
    """The parts of so many nights, after one that warms up."""
    rounds = []
    for number in range(ROUNDS + 1):
        say(f"{name}: {f'round {number} of {ROUNDS}' if number else 'warming up'}")
        rounds.append({**night(), "load": load_seconds()})
    return rounds[1:]


def _command(folder: Path, environment: Mapping[str, str]) -> Parts:
    file = folder / "parts.json"
    began, used = time.monotonic(), _used()
    errors = _run(folder, environment, "benchmarks.night_parts", str(file), *_COMMAND)
    if not file.exists():
        raise ContenderError("nightbench broke before its command began: " + errors)
    total, used = time.monotonic() - began, _used() - used
    parts: Parts = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    around = parts.pop("websocket") + parts.pop("database") - load_seconds()
    started = parts["interpreter"] + parts["import of nightbench"] + parts.pop("command")
    return {
        **parts,
        "around the load": around,
        "end of the interpreter": total - started,
        "total": total,
        "CPU": used,
    }


def _used() -> float:
    """CPU-seconds of the processes that have ended and been waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def _deployment(api: str) -> Parts:
    parts = run_deployment(api, NIGHTLY, {"quick": True})
    around = parts.pop("measure websocket") + parts.pop("measure database") - load_seconds()
    return {**parts, "calibration, and around the load": around}


def _help(folder: Path, environment: Mapping[str, str]) -> float:
    began = time.monotonic()
    _run(folder, environment, "nightbench", "--help")
    return time.monotonic() - began


def _run(folder: Path, environment: Mapping[str, str], module: str, *arguments: str) -> str:
    """Run it to its end; the end of what it says as errors.

    Raises:
        ContenderError: when its exit code is not that of a night that ran to its end.
    """
    done = subprocess.run(  # noqa: S603  # our own
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in _WHOLE:
        msg = (
            f"nightbench {' '.join(arguments)} ended with exit code {done.returncode}: {done.stderr[-2000:]}"
        )
        raise ContenderError(msg)
    return done.stderr[-2000:]


def _figures(name: str, rounds: list[Parts], goal: Goal) -> list[Figure]:
    """What is no load, and the median of each of its parts; what no clock is at is the rest."""
    beside = over_rounds(
        f"{name}: beside the load", [parts["total"] - parts["load"] for parts in rounds], "s", goal
    )
    named = [part for part in rounds[0] if part not in ("total", "load", "CPU")]
    rest = [parts["total"] - parts["load"] - sum(parts.get(part, 0) for part in named) for parts in rounds]
    used = [parts["CPU"] for parts in rounds if "CPU" in parts]
    return [
        beside,
        *([over_rounds(f"{name}: CPU-seconds, load included", used, "s")] if used else []),
        *(over_rounds(f"{name}: {part}", [parts.get(part, 0.0) for parts in rounds], "s") for part in named),
        over_rounds(f"{name}: flows, tasks and the rest", rest, "s"),
    ]
