"""The generator watches itself: a measurement made by a starved generator is invalid, not slow."""

from __future__ import annotations

import contextlib
import gc
import resource
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from nightbench.load.histogram import Histogram, samples_needed
from nightbench.load.storage import Stored

MAX_CPU_SHARE = 0.9
"""Of one core, over the measure phase."""
MAX_LAG_MS = 50.0
"""P99 of lateness, of the clock tick and of sends, past which response times are the generator's own."""
MAX_RUN_DELAY = 0.5
"""Share of the time in which the generator had something to do and no core to do it on."""
MAX_GC_PAUSE_MS = 100.0
"""The longest pause of the garbage collector: nothing is sent or received in it."""
MAX_FILES_SHARE = 0.95
"""Of the files that a process may have open: past it, connections fail for want of them."""

BEAT_SECONDS = 0.05
"""How often lateness of the clock is sampled."""
_BEAT_NS = round(BEAT_SECONDS * 1e9)

_SCHEDSTAT = Path("/proc/thread-self/schedstat")
_FILES = Path("/proc/self/fd")

_TELLING = 0.01
"""The share of stolen time from which it explains anything."""


@dataclass(frozen=True)
class Health:
    """How the generator fared during the measure phase.

    Attributes:
        cpu_seconds: CPU time of the generator's process, user and system; of all where several were merged,
            as are `open_files`, `memory_mib` and `stored`.
        wall_seconds: Length of the observation.
        tick_lag: Lateness of a timer that is due every `BEAT_SECONDS`.
        gc_pause_max_ms: The longest pause of the garbage collector.
        open_files: File descriptors open at the end.
        memory_mib: Resident memory at the end.
        files_share: `open_files` as a share of what the process may have (its soft limit); of the fullest one.
        run_delay: Share of the time in which the thread that keeps time was ready to run and had no core; of
            the one that waited most. None where the system does not tell.
        stolen: Share of the machine's time that its hypervisor gave to others. None where the system does
            not tell.
        busiest_share: `cpu_share` of the busiest process, where several were merged.
        stored: What the process read from storage and wrote to it.
    """

    cpu_seconds: float
    wall_seconds: float
    tick_lag: Histogram
    gc_pause_max_ms: float
    open_files: int
    memory_mib: float
    files_share: float = 0.0
    run_delay: float | None = None
    stolen: float | None = None
    busiest_share: float | None = None
    stored: Stored = field(default_factory=Stored)

    @classmethod
    def merged(cls, parts: Sequence[Health]) -> Health:
        """Of several generators as one: what they used adds up, of what is limited the worst one counts."""
        lag = Histogram()
        for each in parts:
            lag.merge(each.tick_lag)
        return cls(
            cpu_seconds=sum(each.cpu_seconds for each in parts),
            wall_seconds=max(each.wall_seconds for each in parts),
            tick_lag=lag,
            gc_pause_max_ms=max(each.gc_pause_max_ms for each in parts),
            open_files=sum(each.open_files for each in parts),
            memory_mib=sum(each.memory_mib for each in parts),
            files_share=max(each.files_share for each in parts),
            run_delay=_worst(each.run_delay for each in parts),
            stolen=_worst(each.stolen for each in parts),
            busiest_share=max(each.cpu_share for each in parts),
            stored=Stored.added(each.stored for each in parts),
        )

    @property
    def cpu_share(self) -> float:
        """Share of one core; of the busiest process."""
        if self.busiest_share is not None:
            return self.busiest_share
        return self.cpu_seconds / self.wall_seconds if self.wall_seconds > 0 else 0.0

    def reasons(
        self,
        send_lags: Mapping[str, Histogram],
        *,
        way_out: str = "use a lower rate, fewer users, more shards or a quieter machine",
    ) -> tuple[str, ...]:
        """Why the measurement cannot be trusted, one sentence each with the way out; empty when it can.

        Args:
            send_lags: How late the generator was, by what it was late with, such as ``message sends``. Where
                a P99 would rest on a single sample, P95 is judged; where even that would, nothing is.
            way_out: What to do against a starved generator.
        """
        found = []
        if self.cpu_share > MAX_CPU_SHARE:
            found.append(
                f"the generator used {self.cpu_share:.0%} of a core (limit {MAX_CPU_SHARE:.0%}): {way_out}"
            )
        if self.run_delay is not None and self.run_delay > MAX_RUN_DELAY:
            found.append(
                f"the generator waited {self.run_delay:.0%} of the time for a core "
                f"(limit {MAX_RUN_DELAY:.0%}): {way_out}"
            )
        if self.gc_pause_max_ms > MAX_GC_PAUSE_MS:
            found.append(
                f"the garbage collector paused the generator for {self.gc_pause_max_ms:.0f} ms "
                f"(limit {MAX_GC_PAUSE_MS:.0f} ms): {way_out}"
            )
        for what, lag in self._judged(send_lags).items():
            quantile = 0.99 if lag.n >= samples_needed(0.99) else 0.95
            late = lag.quantile_ms_of_any(quantile)
            if late is not None and late > MAX_LAG_MS:
                found.append(
                    f"{what} were late by {late:.0f} ms at P{100 * quantile:.0f} (limit {MAX_LAG_MS:.0f} ms), "
                    f"the generator was starved{self._why_starved}: {way_out}"
                )
        if self.files_share >= MAX_FILES_SHARE:
            found.append(
                f"the generator had {self.files_share:.0%} of the files open that it may have "
                f"(limit {MAX_FILES_SHARE:.0%}): raise `ulimit -n`, or use fewer users or more shards"
            )
        return tuple(found)

    def _judged(self, send_lags: Mapping[str, Histogram]) -> dict[str, Histogram]:
        enough = {what: lag for what, lag in send_lags.items() if lag.n >= samples_needed(0.95)}
        return {"clock ticks": self.tick_lag, **enough}

    @property
    def _why_starved(self) -> str:
        """What the system knows of it, in brackets; empty when that explains nothing."""
        known = []
        if self.run_delay is not None and self.run_delay >= _TELLING:
            known.append(f"it waited {self.run_delay:.0%} of the time for a core")
        if self.stolen is not None and self.stolen >= _TELLING:
            known.append(f"the hypervisor gave {self.stolen:.0%} of the machine to others")
        return f" ({'; '.join(known)})" if known else ""


def _worst(shares: Iterable[float | None]) -> float | None:
    return max((share for share in shares if share is not None), default=None)


@dataclass(frozen=True)
class _Used:
    """What has been used up to an instant, seconds; None where the system does not tell."""

    wall: float
    cpu: float
    waited: float | None
    machine: float
    stolen: float | None
    stored: Stored

    @classmethod
    def now(cls) -> _Used:
        machine = psutil.cpu_times()
        return cls(
            wall=time.perf_counter(),
            cpu=time.process_time(),
            waited=_waited_seconds(),
            machine=sum(machine),
            stolen=getattr(machine, "steal", None),
            stored=Stored.by(psutil.Process()),
        )


def _waited_seconds() -> float | None:
    """How long this thread has been ready to run and had no core, ever: Documentation/scheduler/sched-stats."""
    try:
        on_core, waited, _slices = map(int, _SCHEDSTAT.read_text().split())
    except (OSError, ValueError):
        return None
    return waited / 1e9 if on_core else None  # all zeros: a kernel that does not count


def _share(of: float | None, before: float | None, whole: float) -> float | None:
    return None if of is None or before is None or whole <= 0 else (of - before) / whole


@dataclass
class HealthMonitor:
    """Samples between `begin` and `finish`; `tick` is called by whoever keeps time in the generator.

    All three are called by one thread: it is the one whose waiting for a core is told.
    """

    _tick_lag: list[int] = field(default_factory=list)
    _began: _Used | None = None
    _gc_began: float = 0.0
    _gc_pause_max: float = 0.0

    def begin(self) -> None:
        """The measure phase begins.

        All that lives now is taken out of the garbage collector's sight, so that no collection goes through
        the objects of all users again. Collecting before would be such a pause itself, at the very moment
        from which everything counts: 15 ms on an idle machine for the objects of 10,000 users, where taking
        them out costs microseconds. What garbage there is stays, bounded by what had not been collected yet.
        """
        gc.freeze()
        self._began = _Used.now()
        gc.callbacks.append(self._on_gc)

    def tick(self, due: int, now: int) -> int:
        """A tick that was due at `due` came at `now` (ns); returns when the next one is due.

        Those that a stall left out were late too: a generator frozen for 5 s has 100 late ticks, not one.
        """
        while due <= now:
            if self._began is not None:
                self._tick_lag.append(now - due)
            due += _BEAT_NS
        return due

    def finish(self) -> Health:
        """The measure phase is over, or never began."""
        ended = _Used.now()
        began = self._began or ended
        self.stop()
        lag = Histogram()
        lag.add(np.array(self._tick_lag, dtype=np.int64))
        files = _open_files()
        wall = ended.wall - began.wall
        return Health(
            cpu_seconds=ended.cpu - began.cpu,
            wall_seconds=wall,
            tick_lag=lag,
            gc_pause_max_ms=self._gc_pause_max * 1000,
            open_files=files,
            memory_mib=psutil.Process().memory_info().rss / 2**20,
            files_share=_share_of_files(files),
            run_delay=_share(ended.waited, began.waited, wall),
            stolen=_share(ended.stolen, began.stolen, ended.machine - began.machine),
            stored=ended.stored.since(began.stored),
        )

    def stop(self) -> None:
        """Watch the garbage collector no more."""
        if self._on_gc in gc.callbacks:
            gc.callbacks.remove(self._on_gc)

    def _on_gc(self, phase: str, _info: dict[str, Any]) -> None:
        if phase == "start":
            self._gc_began = time.perf_counter()
        else:
            self._gc_pause_max = max(self._gc_pause_max, time.perf_counter() - self._gc_began)


def _open_files() -> int:
    """How many file descriptors this process has open."""
    # Linux 6.2 and later: counting 10,000 of them one by one would delay the replies that still come by 10 ms
    with contextlib.suppress(OSError):
        if counted := _FILES.stat().st_size:
            return counted
    return psutil.Process().num_fds()


def _share_of_files(files: int) -> float:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0.0 if soft == resource.RLIM_INFINITY else files / soft
