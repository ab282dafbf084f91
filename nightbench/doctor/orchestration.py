"""What a Prefect server says of the nights, judged: its version, work pools, workers, deployments, schedule, runs, slots."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nightbench.doctor.finding import Finding, Topic
from nightbench.wording import amount

SERVER = Topic("prefect", "server")
POOL = Topic("prefect", "work pool")
WORKER = Topic("prefect", "worker")
DEPLOYMENTS = Topic("prefect", "deployments")
SCHEDULE = Topic("prefect", "schedule")
RUNS = Topic("prefect", "runs")
SLOTS = Topic("prefect", "concurrency")

SERVE = "nightbench serve"
_SHOWN = 3


@dataclass(frozen=True)
class Pool:
    """A work pool and its workers.

    Attributes:
        name: Of it.
        there: Whether the server has it.
        paused: Whether it hands out no runs.
        online: How many workers are.
        heartbeat: When the last of any worker was; None without one.
    """

    name: str
    there: bool
    paused: bool = False
    online: int = 0
    heartbeat: datetime | None = None


@dataclass(frozen=True)
class Deployed:
    """A deployment, as a file wants it or as a server has it.

    Attributes:
        version: Of it, None without one.
        entrypoint: Of its flow.
        paused: Whether its schedules start nothing.
        crons: Of its schedules that are active.
    """

    version: str | None
    entrypoint: str | None
    paused: bool = False
    crons: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FlowRun:
    """A flow run that waits or is under way.

    Attributes:
        name: Of it.
        since: When it should have begun, or began; None where nobody knows.
    """

    name: str
    since: datetime | None


def judge_versions(url: str, client: str, server: str) -> Finding:
    """Whether client and server fit: Prefect keeps to that within a minor version."""
    if client.split(".")[:2] != server.split(".")[:2]:
        why = f"{url} is Prefect {server}, and the client here is {client}"
        return SERVER.warning(
            why, f"pip install 'prefect=={client}' on the server's side, or a client like it"
        )
    return SERVER.ok(f"{url} answers: Prefect {server}, the client is {client}")


def judge_pool(pool: Pool, now: datetime) -> list[Finding]:
    """Whether runs of a pool are handed out, and taken."""
    if not pool.there:
        return [POOL.failure(f"there is no work pool {pool.name}", SERVE)]
    if pool.paused:
        mend = f"prefect work-pool resume {pool.name}"
        found = [POOL.failure(f"{pool.name} is paused: it hands out no runs", mend)]
    else:
        found = [POOL.ok(f"{pool.name} is there and not paused")]
    if not pool.online:
        last = "none was ever there"
        if pool.heartbeat is not None:
            last = f"the last sign of one is {_span(now - pool.heartbeat)} old"
        mend = f"{SERVE}, or prefect worker start --pool {pool.name}"
        return [*found, WORKER.failure(f"no worker of {pool.name} is online: {last}", mend)]
    seen = "" if pool.heartbeat is None else f", last sign {_span(now - pool.heartbeat)} ago"
    return [*found, WORKER.ok(f"{pool.online} of {pool.name} online{seen}")]


def judge_deployments(wanted: Mapping[str, Deployed], there: Mapping[str, Deployed]) -> Finding:
    """Whether the server has the deployments of the project's file, as they are in it."""
    if not wanted:
        what = f"{len(there)} are there" if there else "none is there"
        return DEPLOYMENTS.ok(f"{what}; there is no prefect.yaml here to compare with")
    missing = [name for name in wanted if name not in there]
    if missing:
        return DEPLOYMENTS.failure(f"not on the server: {', '.join(missing)}", SERVE)
    other = [
        name
        for name, each in wanted.items()
        if (each.version, each.entrypoint) != (there[name].version, there[name].entrypoint)
    ]
    if other:
        return DEPLOYMENTS.warning(f"not as prefect.yaml has them: {', '.join(other)}", f"restart {SERVE}")
    return DEPLOYMENTS.ok(f"all {len(wanted)} of prefect.yaml are there, of its version")


def judge_schedule(
    wanted: Deployed | None, there: Deployed | None, next_run: datetime | None, now: datetime
) -> Finding:
    """Whether the next night will begin by itself.

    Args:
        wanted: The nightly deployment in the project's file; None without one.
        there: On the server; None where it has none.
        next_run: When the server has scheduled its next run.
        now: The current instant.
    """
    if there is None:
        return SCHEDULE.failure("the server has no deployment nightly: no night begins by itself", SERVE)
    if there.paused or not there.crons:
        why = "the deployment nightly is paused" if there.paused else "no schedule of nightly is active"
        return SCHEDULE.failure(
            f"{why}: no night begins by itself", "resume it in the UI: Deployments, nightly"
        )
    crons = ", ".join(sorted(there.crons))
    if next_run is None:
        why = f"{crons} is active, and no run is scheduled: the server's scheduler may not run"
        return SCHEDULE.warning(why, "restart the Prefect server")
    why = f"{crons}: the next night begins {next_run:%Y-%m-%d %H:%M} UTC, in {_span(next_run - now)}"
    if wanted is not None and wanted.crons != there.crons:
        return SCHEDULE.warning(
            f"{why}; prefect.yaml says {', '.join(sorted(wanted.crons)) or 'none'}", f"restart {SERVE}"
        )
    return SCHEDULE.ok(why)


def judge_runs(
    late: Sequence[FlowRun], running: Sequence[FlowRun], longest: timedelta, now: datetime
) -> list[Finding]:
    """Whether runs wait for a worker, or hang.

    Args:
        late: Runs that should have begun.
        running: Runs under way.
        longest: What a night may take.
        now: The current instant.
    """
    found = []
    if late:
        why = f"{_names(late)} should have begun and no worker took them"
        found.append(RUNS.warning(why, "start a worker, or cancel them: prefect flow-run cancel ID"))
    stuck = [run for run in running if run.since is not None and now - run.since > longest]
    if stuck:
        why = f"{_names(stuck)} under way for more than {_span(longest)}, which no night takes"
        found.append(RUNS.failure(why, "prefect flow-run cancel ID; nobody else begins meanwhile"))
    if not found:
        found.append(
            RUNS.ok(f"{len(running)} under way, none late" if running else "none under way, none late")
        )
    return found


def judge_slots(taken: Mapping[str, int], running: Collection[FlowRun]) -> Finding:
    """Whether slots are held that nobody uses: the next run would wait for them for ever."""
    held = {name: count for name, count in taken.items() if count}
    if held and not running:
        shown = ", ".join(f"{count} of {name}" for name, count in sorted(held.items()))
        why = f"slots are taken and nothing runs: {shown}"
        free = f"prefect global-concurrency-limit update {shlex.quote(min(held))} --active-slots 0"
        return SLOTS.failure(why, free)
    return SLOTS.ok(f"{amount(sum(held.values()), 'slot')} taken, {amount(len(running), 'run')} under way")


def _names(runs: Sequence[FlowRun]) -> str:
    shown = ", ".join(run.name for run in runs[:_SHOWN])
    return shown if len(runs) <= _SHOWN else f"{shown} and {len(runs) - _SHOWN} more"


def _span(span: timedelta) -> str:
    seconds = max(0.0, span.total_seconds())
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
