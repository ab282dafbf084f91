"""Truth: what nightbench reports against what the server logged, and one stall as nightbench and k6 see it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders import Chat, k6, nightbench, plan_of
from benchmarks.delays import DISTRIBUTIONS
from benchmarks.processes import server
from benchmarks.table import Figure, Goal
from benchmarks.truth import Nanoseconds, percentile_ms, replies_between, stalled_response_times

DRAWN = Chat(users=200, seconds=15, rate=400)
STALLED = Chat(users=5, seconds=20, rate=50)
STALL_SECONDS = 1.4
STALL_AFTER = 400
"""Messages: eight seconds into the run."""
SEED = 20_250_131
ATTEMPTS = 3
QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def measure(say: Callable[[str], None]) -> list[Figure]:
    """Each distribution once, then the stall."""
    figures = []
    for distribution in DISTRIBUTIONS:
        say(distribution)
        figures += _drawn(distribution)
    return [*figures, *_stalled(say)]


def _drawn(distribution: str) -> list[Figure]:
    """The error of each percentile in ms; allowed are 3 %, or 1 ms where that is more.

    A run that says itself that it cannot be trusted is done again.
    """
    for _ in range(ATTEMPTS):
        replies, document = _run_drawn(distribution)
        if not document["reasons"]:
            break
    figures = []
    for quantity in ("response_time", "service_time"):
        for name, quantile in QUANTILES.items():
            truth = percentile_ms(replies, quantile)
            reported = document["metrics"][f"message.{quantity}.{name}"]
            error = None if reported is None else abs(reported - truth)
            told = "missing" if reported is None else f"truth {truth:.2f} ms, reported {reported:.2f} ms"
            note = "; ".join((told, *document["reasons"]))
            what = f"{distribution}: {quantity} {name}, error"
            figures.append(Figure(what, error, "ms", Goal("<=", max(0.03 * truth, 1.0)), note=note))
    return figures


def _run_drawn(distribution: str) -> tuple[Nanoseconds, dict[str, Any]]:
    """How long the server took over each message of the measure phase, and what nightbench says of them."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "replies.npy"
        options = ("--distribution", distribution, "--seed", str(SEED), "--log", str(log))
        with server("drawn", *options) as subject:
            _, document = nightbench(subject, plan_of(DRAWN, ramp=2, max_in_flight=1000))
        return replies_between(np.load(log), *document["measure_ns"]), document


def _stalled(say: Callable[[str], None]) -> list[Figure]:
    """P99 of 1,000 messages, 20 ms apart, about 70 of which are due while the server stands still."""
    say("one stall: nightbench")
    with server("stall", *_STALL) as subject:
        _, document = nightbench(subject, plan_of(STALLED, max_in_flight=1000))
    assert STALLED.rate is not None
    begin, end = document["measure_ns"]
    due = stalled_response_times((begin, end), STALLED.rate, tuple(subject.ended["stall"]))
    truth = percentile_ms(due, 0.99)
    response, service = (
        document["metrics"][f"message.{quantity}.p99"] for quantity in ("response_time", "service_time")
    )
    error = None if response is None else 100 * abs(response - truth) / truth
    say("one stall: k6, closed loop")
    closed = _k6_stalled("closed")
    say("one stall: k6, constant arrival rate")
    arrivals = _k6_stalled("constant-arrival-rate")
    stall = f"{STALL_SECONDS} s stall, P99"
    return [
        Figure(f"{stall}: computed truth", truth, "ms"),
        Figure(f"{stall}: nightbench, response time", response, "ms"),
        Figure(f"{stall}: nightbench, error of response time", error, "%", Goal("<=", 10)),
        Figure(f"{stall}: nightbench, service time", service, "ms"),
        Figure(f"{stall}: k6, closed loop", closed["chat_reply_time"]["p(99)"], "ms"),
        Figure(
            f"{stall}: k6, constant-arrival-rate, from sending", arrivals["chat_reply_time"]["p(99)"], "ms"
        ),
        Figure(
            f"{stall}: k6, constant-arrival-rate, whole iteration",
            arrivals["chat_iteration_time"]["p(99)"],
            "ms",
            note="a connection for each message",
        ),
    ]


_STALL = ("--stall-after", str(STALL_AFTER), "--stall-seconds", str(STALL_SECONDS))


def _k6_stalled(executor: str) -> dict[str, Any]:
    """The metrics of k6's own summary."""
    with tempfile.TemporaryDirectory() as folder, server("stall", *_STALL) as subject:
        summary = Path(folder) / "summary.json"
        environment = {**STALLED.environment(subject.url), "EXECUTOR": executor}
        k6("stall.js", subject, environment, seconds=STALLED.seconds, summary=summary)
        metrics: dict[str, Any] = json.loads(summary.read_text(encoding="utf-8"))["metrics"]
    return metrics
