"""What a measurement says of the load that it had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nightbench.capacity.samples import fewest_for, is_percentile
from nightbench.capacity.search import Step
from nightbench.history.record import clean_text
from nightbench.measurement import Measurement
from nightbench.report.overview import MAIN
from nightbench.report.promises import missed_in_words, promised
from nightbench.scrub import one_line
from nightbench.verdict.targets import LEAKED_ROWS, TargetResult, judge_targets, leaked


def step_of(measurement: Measurement, load: int, *, seconds: float) -> Step:
    """What a measurement says of its load; a row of another tenant is a miss, whatever else was.

    A target whose value is missing was missed, as operations that never ended leave none; but too few operations,
    as at a low load, speak neither for the load nor against it: the step is invalid.
    """
    main = MAIN[measurement.suite]
    step = Step(
        load,
        "met",
        seconds,
        p95_ms=measurement.value(f"{main}.response_time.p95"),
        success=measurement.value(f"{main}.success_rate"),
        throughput=measurement.value(f"{main}.throughput"),
        run_id=measurement.run_id,
    )
    units = {metric.name: metric.unit for metric in measurement.metrics}
    targets = judge_targets(measurement.plan.promises, measurement)
    missed = [target for target in targets if not target.met and not _too_few(target, measurement)]
    broke = tuple(target.metric for target in missed)
    reasons = tuple(missed_in_words(target, units.get(target.metric, "")) for target in missed)
    if leaked(measurement):
        reasons = reasons or ("rows of other tenants were read",)
        broke = broke if LEAKED_ROWS in broke else (*broke, LEAKED_ROWS)
        return replace(step, result="missed", reasons=reasons, broke=broke)
    if not measurement.validity.valid:
        why = tuple(one_line(reason) for reason in measurement.validity.reasons)
        return replace(step, result="invalid", reasons=why)
    if missed:
        return replace(step, result="missed", reasons=reasons, broke=broke)
    unknown = tuple(_unknown(target, units) for target in targets if not target.met)
    return replace(step, result="invalid", reasons=unknown) if unknown else step


def _too_few(target: TargetResult, measurement: Measurement) -> bool:
    """Whether its value is missing since there was too little to take it from."""
    if target.value is not None:
        return False
    counts = measurement.operations.get(MAIN[measurement.suite])
    metric = next((each for each in measurement.metrics if each.name == target.metric), None)
    if counts is None or metric is None:
        return True
    behind = metric.n if is_percentile(target.metric) else counts.scheduled
    return behind < fewest_for(target.metric)


def _unknown(target: TargetResult, units: Mapping[str, str]) -> str:
    name, limit = clean_text(target.metric), promised(target, units.get(target.metric, ""))
    return f"{name} {limit}: too few samples to tell; measure each load for longer"
