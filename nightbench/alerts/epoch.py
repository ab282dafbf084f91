"""What makes two nights alike for an alert: the setup that was measured, and the epoch of a metric."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Protocol

from nightbench.history.fingerprint import fingerprint, text_of
from nightbench.measurement import Measurement
from nightbench.verdict import acknowledgement
from nightbench.verdict.patterns import matches_any


class Mark(acknowledgement.Mark, Protocol):
    """What somebody said of a run, as `nightbench.history.marks.Mark` is."""

    @property
    def mark_id(self) -> str: ...


def epoch_of(marks: Iterable[Mark], suite: str, tier: str, metric: str) -> str:
    """The id of the last mark that began an epoch of a metric, empty before the first."""
    begins = [
        mark
        for mark in marks
        if mark.kind in {"accept", "epoch"}
        and (mark.suite, mark.tier) == (suite, tier)
        and (not mark.metrics or matches_any(mark.metrics, metric))
    ]
    return max(begins, key=lambda mark: mark.at).mark_id if begins else ""


def measured_alike(measurement: Measurement) -> str:
    """The same for nights that can be compared with one another: plan, subject, host and versions."""
    return _digest(text_of(fingerprint(measurement)))


def same_setup(measurement: Measurement) -> str:
    """The same for nights with one plan and subject: a lighter load shows nothing of a promise about a heavier."""
    parts = fingerprint(measurement)
    return _digest(text_of({name: parts[name] for name in ("plan", "subject") if name in parts}))


def flow_of(night_id: str) -> str:
    """The flow that a night was a run of, as `nightbench.measurement.new_id` has it: what failed runs of it share."""
    return "-".join(night_id.split("-")[1:-1]) or night_id


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
