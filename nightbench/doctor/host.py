"""What this machine gives to a generator: open files, CPU, memory; and who else takes of it."""

from __future__ import annotations

import math
import os
import resource
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from nightbench.doctor.finding import Finding, Topic
from nightbench.load.health import MAX_FILES_SHARE
from nightbench.plan import TierPlan
from nightbench.report.layout import percent
from nightbench.wording import amount

FILES = Topic("host", "open files")
GOVERNOR = Topic("host", "CPU governor")
NEIGHBOURS = Topic("host", "neighbours")
QUOTA = Topic("host", "CPU quota")
MEMORY = Topic("host", "memory")

BESIDE = 200
"""Files of a generator beside those of its users: modules, pipes, logs."""
STEAL, PRESSURE, LOAD = 0.05, 0.25, 0.7
"""Shares past which a neighbour is noisy: of stolen time, of time in which something waited for a core, and of the
cores that are busy on average."""
LEAST_MEMORY_MIB = 512
SWAPPED = 0.25
_SAMPLE_SECONDS = 0.5
_CGROUP = Path("/sys/fs/cgroup")
_QUIET = "stop what else runs here, or give nightbench a machine of its own"


@dataclass(frozen=True)
class Cpu:
    """How busy the machine is before a night.

    Attributes:
        cores: That this process may use.
        load: Average number of tasks that ran or wanted to, over the last minute.
        stolen: Share of a sample that the hypervisor gave to others; None where it does not tell.
        pressure: Share of the last minute in which something waited for a core; None where the kernel does not tell.
    """

    cores: int
    load: float
    stolen: float | None
    pressure: float | None


@dataclass(frozen=True)
class Quota:
    """What a container may use.

    Attributes:
        cores: None without a limit.
        throttled: Share of its periods in which it was held back; None where nobody counts.
    """

    cores: float | None
    throttled: float | None


def files_needed(plans: Iterable[TierPlan]) -> int:
    """Open files of the fullest generator of `plans`, whose shards share the users."""
    counts = [math.ceil(plan.websocket.users / plan.websocket.shards) for plan in plans]
    return math.ceil((max(counts, default=0) + BESIDE) / MAX_FILES_SHARE)


def judge_files(limit: float, needed: int) -> Finding:
    """Whether a generator may open what the largest tier needs; it raises its own limit as far as it may."""
    why = f"the largest tier needs {needed:,} and a process may have {_limit(limit)}"
    if limit < needed:
        mend = f"ulimit -Hn {needed}, LimitNOFILE={needed} in the unit of systemd, or more shards"
        return FILES.failure(why, mend)
    return FILES.ok(why)


def judge_governors(governors: Collection[str]) -> Finding:
    """Whether the cores keep their pace, by the names of their governors; none where the kernel has no say."""
    slow = sorted(set(governors) - {"performance"})
    if slow:
        why = f"{', '.join(slow)}: the cores change their pace with what they have to do"
        return GOVERNOR.warning(why, "cpupower frequency-set --governor performance")
    if not governors:
        return GOVERNOR.ok("none here: hypervisor or firmware set the pace of the cores")
    return GOVERNOR.ok("performance on every core")


def judge_cpu(cpu: Cpu) -> Finding:
    """Whether others take of the cores."""
    known = [f"load {cpu.load:.2f} on {amount(cpu.cores, 'core')}"]
    noisy = cpu.load > LOAD * cpu.cores
    for name, share, most in (("stolen", cpu.stolen, STEAL), ("waiting for a core", cpu.pressure, PRESSURE)):
        if share is not None:
            known.append(f"{percent(share)} {name}")
            noisy |= share > most
    why = ", ".join(known)
    return NEIGHBOURS.warning(f"this host is busy: {why}", _QUIET) if noisy else NEIGHBOURS.ok(why)


def judge_quota(quota: Quota, cores: int) -> Finding:
    """Whether a container's limit holds a generator back."""
    if quota.throttled is not None and quota.throttled > 0.01:
        why = f"this container was held back in {percent(quota.throttled)} of its periods"
        return QUOTA.warning(why, "raise the CPU limit of the container, or leave it out")
    if quota.cores is None:
        return QUOTA.ok(f"none: {amount(cores, 'core')}")
    why = f"this container may use {quota.cores:g} of {amount(cores, 'core')}"
    if quota.cores < min(2, cores):
        return QUOTA.warning(
            f"{why}; a generator and its subject want 2", "raise the CPU limit of the container"
        )
    return QUOTA.ok(why)


def judge_memory(available_mib: float, swapped: float) -> Finding:
    """Whether there is room, and whether the machine swaps (the share of its swap that is in use)."""
    why = f"{available_mib:,.0f} MiB are available, {percent(swapped)} of the swap is in use"
    if available_mib < LEAST_MEMORY_MIB or swapped > SWAPPED:
        return MEMORY.warning(why, _QUIET)
    return MEMORY.ok(why)


def host_findings(plans: Iterable[TierPlan]) -> Iterator[Finding]:
    """Look at this machine; it takes about half a second."""
    cores = _cores()
    load = os.getloadavg()[0]  # before anything of ours adds to it
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield judge_files(math.inf if hard == resource.RLIM_INFINITY else hard, files_needed(plans))
    yield judge_governors(_governors())
    yield judge_cpu(Cpu(cores, load, _stolen(), _pressure()))
    yield judge_quota(_quota(), cores)
    swap = psutil.swap_memory()
    yield judge_memory(_available_mib(), swap.used / swap.total if swap.total else 0.0)


def _limit(limit: float) -> str:
    return "any number" if math.isinf(limit) else f"{limit:,.0f}"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _governors() -> list[str]:
    found = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")
    return [text for path in found if (text := _read(path).strip())]


def _stolen() -> float | None:
    before = psutil.cpu_times()
    if not hasattr(before, "steal"):
        return None
    time.sleep(_SAMPLE_SECONDS)
    after = psutil.cpu_times()
    whole = sum(after) - sum(before)
    return (after.steal - before.steal) / whole if whole > 0 else None


def _pressure() -> float | None:
    for word in _read(Path("/proc/pressure/cpu")).partition("\n")[0].split():
        name, _, value = word.partition("=")
        if name == "avg60":
            return float(value) / 100
    return None


def _quota() -> Quota:
    """Of cgroup 2, as a container sees its own."""
    most, _, period = _read(_CGROUP / "cpu.max").strip().partition(" ")
    cores = int(most) / int(period) if most.isdigit() and period.isdigit() and int(period) else None
    counts = dict(line.split() for line in _read(_CGROUP / "cpu.stat").splitlines() if line.count(" ") == 1)
    periods = int(counts.get("nr_periods", 0))
    return Quota(cores, int(counts.get("nr_throttled", 0)) / periods if periods else None)


def _available_mib() -> float:
    """Of the machine, or of the container where that has less."""
    available = float(psutil.virtual_memory().available)
    most, used = _read(_CGROUP / "memory.max").strip(), _read(_CGROUP / "memory.current").strip()
    if most.isdigit() and used.isdigit():
        available = min(available, int(most) - int(used))
    return available / 2**20


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""
