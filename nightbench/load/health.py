"""The generator watches itself: a measurement made by a starved generator is invalid, not slow."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil

from nightbench.load.histogram import Histogram, samples_needed

MAX_CPU_SHARE = 0.9
"""Of one core, over the measure phase."""
MAX_LAG_MS = 50.0
"""P99 of lateness, of the clock tick and of sends, past which response times are the generator's own."""

BEAT_SECONDS = 0.05
"""How often lateness of the clock is sampled."""
_BEAT_NS = round(BEAT_SECONDS * 1e9)


@dataclass(frozen=True)
class Health:
    """How the generator fared during the measure phase.

    Attributes:
        cpu_seconds: CPU time of the generator process, user and system.
        wall_seconds: Length of the observation.
        tick_lag: Lateness of a timer that is due every `BEAT_SECONDS`.
        gc_pause_max_ms: The longest pause of the garbage collector.
        open_files: File descriptors open at the end.
        memory_mib: Resident memory at the end.
    """

    cpu_seconds: float
    wall_seconds: float
    tick_lag: Histogram
    gc_pause_max_ms: float
    open_files: int
    memory_mib: float

    @property
    def cpu_share(self) -> float:
        """Share of one core."""
        return self.cpu_seconds / self.wall_seconds if self.wall_seconds > 0 else 0.0

    def reasons(self, send_lags: Mapping[str, Histogram]) -> tuple[str, ...]:
        """Why the measurement cannot be trusted, one sentence each with the way out; empty when it can.

        Args:
            send_lags: How late the generator was, by what it was late with, such as ``message sends``. Where
                a P99 would rest on a single sample, P95 is judged.
        """
        found = []
        if self.cpu_share > MAX_CPU_SHARE:
            found.append(
                f"the generator used {self.cpu_share:.0%} of a core (limit {MAX_CPU_SHARE:.0%}): "
                "use a lower rate or fewer users"
            )
        for what, lag in {"clock ticks": self.tick_lag, **send_lags}.items():
            quantile = 0.99 if lag.n >= samples_needed(0.99) else 0.95
            late = lag.quantile_ms_of_any(quantile)
            if late is not None and late > MAX_LAG_MS:
                found.append(
                    f"{what} were late by {late:.0f} ms at P{100 * quantile:.0f} (limit {MAX_LAG_MS:.0f} ms), "
                    "the generator was starved: use a lower rate, fewer users or a quieter machine"
                )
        return tuple(found)


@dataclass
class HealthMonitor:
    """Samples between `begin` and `finish`; `tick` is called by whoever keeps time in the generator."""

    _tick_lag: list[int] = field(default_factory=list)
    _began: tuple[float, float] | None = None
    _gc_began: float = 0.0
    _gc_pause_max: float = 0.0

    def begin(self) -> None:
        """The measure phase begins."""
        self._began = (time.process_time(), time.perf_counter())
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
        cpu, wall = time.process_time(), time.perf_counter()
        began_cpu, began_wall = self._began or (cpu, wall)
        if self._on_gc in gc.callbacks:
            gc.callbacks.remove(self._on_gc)
        lag = Histogram()
        lag.add(np.array(self._tick_lag, dtype=np.int64))
        process = psutil.Process()
        return Health(
            cpu_seconds=cpu - began_cpu,
            wall_seconds=wall - began_wall,
            tick_lag=lag,
            gc_pause_max_ms=self._gc_pause_max * 1000,
            open_files=process.num_fds(),
            memory_mib=process.memory_info().rss / 2**20,
        )

    def _on_gc(self, phase: str, _info: dict[str, Any]) -> None:
        if phase == "start":
            self._gc_began = time.perf_counter()
        else:
            self._gc_pause_max = max(self._gc_pause_max, time.perf_counter() - self._gc_began)
