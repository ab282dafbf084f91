"""What a search found as the JSON document has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from nightbench.capacity.finding import Found
from nightbench.capacity.interval import interval_of
from nightbench.capacity.search import Step
from nightbench.capacity.step_plan import unit_of
from nightbench.history.record import clean, clean_own
from nightbench.measurement import SCHEMA


def capacity_document(found: Found, *, environment: str, notes: Sequence[str] = ()) -> dict[str, Any]:
    """The whole of a search as JSON-like data, scrubbed; a missing value is null, never NaN.

    - ``answer``: ``load``, the highest that was kept, and ``below``, the lowest that was not, each null when there
      is none; ``confirmed``; ``interrupted``; ``ended``, why;
    - ``interval``: what the knee lies between with 95 % certainty, an end null where it is beyond what was tried;
    - ``steps``: in order, each with ``load``, ``why`` it was tried, ``result``, ``seconds``, ``p95_ms``, ``success``
      in percent, ``throughput`` per second, ``broke``, ``reasons``, and ``run_id`` in the dataset;
    - ``targets``: those that were to be kept, at the load of the answer;
    - ``notes``: what else a reader has to know, such as a step that could not be kept.
    """
    answer = found.answer
    content: dict[str, Any] = clean(
        {
            "schema": SCHEMA,
            "suite": found.suite,
            "tier": found.tier,
            "environment": None,
            "unit": unit_of(found.suite),
            "answer": {
                "load": answer.load,
                "below": answer.below,
                "confirmed": answer.confirmed and not found.interrupted,
                "interrupted": found.interrupted,
                "ended": answer.ended,
            },
            "interval": list(interval_of(found.steps, answer)),
            "steps": [_step(step) for step in found.steps],
            "targets": [target.model_dump(exclude_none=True) for target in found.targets],
            "notes": list(notes),
        }
    )
    return {**content, **clean_own({"environment": environment})}


def _step(step: Step) -> dict[str, Any]:
    names = ("load", "why", "result", "seconds", "p95_ms", "success", "throughput")
    values = asdict(step)
    return {name: values[name] for name in (*names, "broke", "reasons", "run_id")}
