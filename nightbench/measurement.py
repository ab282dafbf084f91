"""What one suite of one tier measured: the value that travels from a load test to Parquet and verdict."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import numpy as np

from nightbench.load.fitting import fitted
from nightbench.load.health import Health
from nightbench.load.histogram import Histogram
from nightbench.load.ledger import OperationCounts
from nightbench.load.phases import SECOND, Phases
from nightbench.load.timeline import Times
from nightbench.load.windows import Window as Window  # noqa: PLC0414  # part of a measurement
from nightbench.plan import Suite, SuitePlan, Tier

SCHEMA = 1
"""Version of the JSON document."""

Role = Literal["night", "rerun", "calibration", "capacity"]
"""What a run is for: a block of the night, a repetition of a suspect, one of a series of the same build, or a load
that was tried."""


@dataclass(frozen=True)
class Metric:
    """One number: ``<operation>.<quantity>.<statistic>``, None when it could not be known.

    Attributes:
        name: For example ``message.response_time.p95``.
        value: In `unit`; None means missing, never zero.
        unit: ``ms``, ``%``, ``1/s``, ``s``, ``MiB`` or ``1`` for a plain count.
        n: How many samples are behind the value.
    """

    name: str
    value: float | None
    unit: str
    n: int


@dataclass(frozen=True)
class Validity:
    """Whether the measurement can be trusted, and if not, why and what to do.

    Attributes:
        reasons: One sentence each; empty when valid.
        complete: False when the run ended before its plan did.
    """

    reasons: tuple[str, ...] = ()
    complete: bool = True

    @property
    def valid(self) -> bool:
        """No reason speaks against it."""
        return not self.reasons

    def but(self, reason: str) -> Validity:
        """The same with one reason more against it."""
        return replace(self, reasons=(*self.reasons, reason))


@dataclass(frozen=True)
class Measurement:
    """One run of one suite.

    Attributes:
        run_id: Unique; sorts by time.
        night_id: What ran together shares it: the three tiers of a night, both suites of a tier.
        started_at: UTC wall clock at the start of the ramp.
        duration: Seconds of the measure phase as it was, not as planned.
        subject: What was loaded: `kind` (embedded or external), scrubbed `address`, `server` settings.
        host: What generated the load: see `nightbench.host.fingerprint`.
        operations: Counted operations by kind.
        uncounted: Operations of ramp and warm-up by kind; with `operations`, all that was ever scheduled.
        details: Suite-specific figures that are no metric, such as pool and server figures; JSON-like.
        role: What the run is for; only a night's blocks are its value.
        block: Which of the night's blocks, or of the repetitions, from 1.
        release: Of the subject; None when nobody knows it.
    """

    run_id: str
    night_id: str
    suite: Suite
    tier: Tier
    environment: str
    started_at: datetime
    duration: float
    plan: SuitePlan
    subject: Mapping[str, Any]
    host: Mapping[str, Any]
    validity: Validity
    operations: Mapping[str, OperationCounts]
    uncounted: Mapping[str, OperationCounts]
    metrics: tuple[Metric, ...]
    windows: tuple[Window, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    role: Role = "night"
    block: int = 1
    release: str | None = None

    def __post_init__(self) -> None:
        for accounts in (self.operations, self.uncounted):
            for operation, counts in accounts.items():
                counts.check(operation)

    @property
    def subject_key(self) -> str:
        """Names the subject across runs: its scrubbed address, or ``embedded``, whose port is another each time."""
        kind = self.subject.get("kind")
        return "embedded" if kind == "embedded" else str(self.subject.get("address", ""))

    def value(self, metric: str) -> float | None:
        """The value of a metric; None when it is missing or unknown."""
        return next((item.value for item in self.metrics if item.name == metric), None)


def new_id(label: str, started_at: datetime | None = None) -> str:
    """A unique id that sorts by time, such as ``20261124T031500Z-full-websocket-9f2c4e``."""
    instant = (started_at or datetime.now(UTC)).astimezone(UTC)
    return f"{instant:%Y%m%dT%H%M%SZ}-{label}-{secrets.token_hex(3)}"


def statistics(name: str, histogram: Histogram) -> tuple[Metric, ...]:
    """Min, mean, median, P95, P99 and max of one quantity, in ms.

    Too few samples give None; so does a rank that falls among those that never came. Min and mean are of
    what was measured.
    """
    measured, all_due = histogram.n, histogram.total
    values = {
        "min": (histogram.min_ms, measured),
        "mean": (histogram.mean_ms, measured),
        "p50": (histogram.quantile_ms(0.50), all_due),
        "p95": (histogram.quantile_ms(0.95), all_due),
        "p99": (histogram.quantile_ms(0.99), all_due),
        "max": (histogram.max_ms, all_due),
    }
    return tuple(Metric(f"{name}.{statistic}", value, "ms", n) for statistic, (value, n) in values.items())


@dataclass(frozen=True)
class RunLabel:
    """What a measurement belongs to, known before it begins."""

    tier: Tier
    night_id: str
    environment: str
    role: Role = "night"
    block: int = 1
    release: str | None = None


class Result(Protocol):
    """What a generator saw, whichever its suite; see `Measurement` for its parts."""

    @property
    def started_at(self) -> datetime: ...
    @property
    def phases(self) -> Phases: ...
    @property
    def counted(self) -> Mapping[str, OperationCounts]: ...
    @property
    def uncounted(self) -> Mapping[str, OperationCounts]: ...
    @property
    def times(self) -> Iterable[Times]: ...


def measured(
    result: Result,
    *,
    run_id: str,
    suite: Suite,
    label: RunLabel,
    plan: SuitePlan,
    subject: Mapping[str, Any],
    host: Mapping[str, Any],
    validity: Validity,
    metrics: tuple[Metric, ...],
    details: Mapping[str, Any],
) -> Measurement:
    """The measurement that a generator's result makes, with what its suite knows of it."""
    return Measurement(
        run_id=run_id,
        night_id=label.night_id,
        suite=suite,
        tier=label.tier,
        environment=label.environment,
        started_at=result.started_at,
        duration=result.phases.measured_seconds,
        plan=plan,
        subject=subject,
        host=host,
        validity=validity,
        operations=result.counted,
        uncounted=result.uncounted,
        metrics=metrics,
        windows=fitted(tuple(result.times)),
        details=details,
        role=label.role,
        block=label.block,
        release=label.release,
    )


def totals_of(times: Iterable[Times]) -> dict[str, Histogram]:
    """The histogram of each ``operation.quantity`` of a run."""
    return {name: histogram for each in times for name, histogram in each.totals.items()}


def with_a_sample(times: Iterable[Times]) -> tuple[Times, ...]:
    """The same quantities with one sample each: those of a run that had everything that can be had."""
    one = Histogram()
    one.add(np.ones(1, np.int64))
    return tuple(Times(dict.fromkeys(each.totals, one), {}) for each in times)


def time_metrics(totals: Mapping[str, Histogram]) -> tuple[Metric, ...]:
    """The statistics of every quantity; those of failures only where there were any."""
    return tuple(
        metric
        for name, histogram in totals.items()
        if histogram.total or not name.endswith("failure_time")
        for metric in statistics(name, histogram)
    )


def throughput(operation: str, ok: int, phases: Phases, *, last_ok: int) -> Metric:
    """What ended well per second, from the start of the measure phase to its end or to `last_ok` if later.

    A subject that falls behind ends its last operations in the drain, and that time counts. What it never
    did well does not stretch it: one late time-out would halve what a short run reports.

    Args:
        operation: For example ``message``.
        ok: How many counted operations ended well.
        phases: Of the run.
        last_ok: When the last of them ended, monotonic ns; 0 when none did.
    """
    span = max(phases.drain, last_ok) - phases.measure
    return Metric(f"{operation}.throughput", ok * SECOND / span if span > 0 else None, "1/s", ok)


def health_metrics(health: Health) -> tuple[Metric, ...]:
    """What the generator cost and how late it was; storage without what its page cache served."""
    return (
        Metric("generator.cpu_seconds", health.cpu_seconds, "s", 1),
        Metric("generator.cpu_share", 100 * health.cpu_share, "%", 1),
        Metric("generator.tick_lag.p99", health.tick_lag.quantile_ms(0.99), "ms", health.tick_lag.n),
        Metric("generator.gc_pause.max", health.gc_pause_max_ms, "ms", 1),
        _share("generator.run_delay", health.run_delay),
        _share("generator.stolen", health.stolen),
        Metric("generator.open_files", health.open_files, "1", 1),
        Metric("generator.memory", health.memory_mib, "MiB", 1),
        _mebibytes("generator.storage_read", health.stored.read),
        _mebibytes("generator.storage_written", health.stored.written),
    )


def _share(name: str, share: float | None) -> Metric:
    """A share as a percentage, missing where nobody knows it."""
    return Metric(name, None, "%", 0) if share is None else Metric(name, 100 * share, "%", 1)


def _mebibytes(name: str, count: int | None) -> Metric:
    """Bytes as MiB, missing where nobody knows them."""
    return Metric(name, None, "MiB", 0) if count is None else Metric(name, count / 2**20, "MiB", 1)


def validity_of(
    starved: Iterable[str],
    counted: Mapping[str, OperationCounts],
    *,
    measured_seconds: float,
    given_up: str | None,
) -> Validity:
    """Whether a run can be trusted: complete, its generator on time, and no operation unaccounted for.

    Args:
        starved: Why the times of its generator cannot be trusted: see `Health.reasons`.
        counted: The accounts of the run.
        measured_seconds: How long it measured.
        given_up: Why it ended before its plan did, or None.
    """
    reasons = list(starved)
    if given_up is not None:
        return Validity(
            (f"incomplete after {measured_seconds:.1f} s of measuring: {given_up}", *reasons), complete=False
        )
    lost = {operation: counts.in_flight for operation, counts in counted.items() if counts.in_flight}
    if lost:
        account = ", ".join(f"{count} of {operation}" for operation, count in lost.items())
        reasons.append(f"operations never ended: {account}; this is an error of nightbench, please report it")
    return Validity(tuple(reasons))
