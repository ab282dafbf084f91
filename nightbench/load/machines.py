"""The machines of a fleet: what each must be, which shard goes where, and what they are together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nightbench.errors import ConfigurationError
from nightbench.host import fingerprint
from nightbench.load.clocks import Clock
from nightbench.load.fleet import lead_seconds
from nightbench.wording import amount

SAME = ("nightbench", "prefect")
"""Packages that must be of one version where the load is asked for and where it is made."""


@dataclass(frozen=True)
class Station:
    """One process of a fleet that may run shards.

    Attributes:
        address: Where the fleet reaches it.
        identity: Of this process: another one at the same address has another.
        free: How many shards it may run now.
        host: See `nightbench.host.fingerprint`.
        clock: How far its clock is from ours.
    """

    address: str
    identity: str
    free: int
    host: Mapping[str, Any]
    clock: Clock

    @property
    def machine(self) -> str:
        """Tells which stations share one."""
        return str(self.host.get("machine"))


def check_same(address: str, host: Mapping[str, Any], *, setting: str) -> None:
    """Raise ConfigurationError unless what runs at `address` is what runs here."""
    here = fingerprint()
    others = [
        f"{name} {theirs} instead of {ours}"
        for name, theirs, ours in (
            ("Python", _minor(host.get("python")), _minor(here["python"])),
            *((name, host.get("packages", {}).get(name), here["packages"][name]) for name in SAME),
        )
        if theirs != ours
    ]
    if others:
        raise ConfigurationError(
            setting,
            address,
            f"that worker has {', '.join(others)}",
            "install the same versions on every machine",
        )


def placed(stations: Sequence[Station], shards: int, *, setting: str, value: str) -> tuple[Station, ...]:
    """Which station runs each shard: one after the other in turns, so that each has as few as can be.

    Raises:
        ConfigurationError: when they may not run so many at once.
    """
    free = sum(each.free for each in stations)
    if free < shards:
        raise ConfigurationError(
            setting,
            value,
            f"the plan has {amount(shards, 'shard')}, and {_offered(stations, free)}: each shard needs a thread of its own",
            "start more workers, give each more threads (--nthreads), or ask for fewer shards",
        )
    in_order = sorted(stations, key=lambda each: each.address)
    turns = [station for turn in range(shards) for station in in_order if station.free > turn]
    return tuple(turns[:shards])


def _offered(stations: Sequence[Station], free: int) -> str:
    if not stations:
        return "there are no workers"
    return f"{amount(len(stations), 'worker')} with {amount(free, 'free thread')} there"


def start_seconds(crew: Sequence[Station]) -> float:
    """How long the interpreters of all shards take to start, each on its machine."""
    shards: dict[str, int] = {}
    for station in crew:
        shards[station.machine] = shards.get(station.machine, 0) + 1
    return max(lead_seconds(shards[each.machine], each.host.get("cores")) for each in crew)


def as_one_host(crew: Sequence[Station], *, fleet: str) -> dict[str, Any]:
    """What the stations of a crew are as the one host of a measurement, in its words.

    Cores and memory add up; of what must not differ between two nights that are compared, each that there
    is counts. `fleet` says what they belong to, so that their nights are not compared with those of others.
    """
    hosts = [host for _, host in sorted({each.machine: each.host for each in crew}.items())]
    whole = dict(hosts[0])
    if len(hosts) > 1:
        machines = " ".join(str(host["machine"]) for host in hosts)
        whole["machine"] = hashlib.blake2b(machines.encode(), digest_size=6).hexdigest()
        for name in ("cpu", "platform", "kernel", "python"):
            whole[name] = " + ".join(sorted({str(host[name]) for host in hosts}))
        for name in ("cores", "memory_mib"):
            whole[name] = sum(host[name] for host in hosts)
    return whole | {"fleet": f"{fleet} of {amount(len(hosts), 'machine')}"}


def described(crew: Sequence[Station]) -> list[dict[str, Any]]:
    """Each shard's machine for the details of a measurement, JSON-like."""
    return [
        {
            "machine": each.machine,
            "cores": each.host.get("cores"),
            "clock_ahead_ms": round(each.clock.ahead / 1e6, 3),
            "clock_uncertainty_ms": round(each.clock.uncertainty / 1e6, 3),
        }
        for each in crew
    ]


def _minor(python: object) -> str:
    return ".".join(str(python).split(".")[:2])
