"""One run of nightbench's own generator in this process, and what it measured as JSON.

Run as a program: ``python -m benchmarks.generator URL PLAN``, with the plan as JSON. The real one runs in a
child of the process that draws the progress; here there is only the child, so that its cost is its own.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from nightbench.plan import WebSocketPlan
from nightbench.websocket.generator import run_generator
from nightbench.websocket.metrics import websocket_metrics, websocket_validity
from nightbench.websocket.result import WebSocketSpec


def main(url: str, plan: str) -> None:
    """Run the plan; write metrics, validity, errors, and the measure phase by the clock of the server's log."""
    spec = WebSocketSpec(WebSocketPlan.model_validate_json(plan), url, "bench")
    result = run_generator(spec, lambda _: None, threading.Event())
    clock = time.perf_counter_ns() - time.time_ns()
    start = round(result.started_at.timestamp() * 1e9) + clock - result.phases.start
    document = {
        "metrics": {metric.name: metric.value for metric in websocket_metrics(result)},
        "reasons": websocket_validity(result).reasons,
        "errors": {name: dict(counts.errors) for name, counts in result.counted.items()},
        "measure_ns": [start + result.phases.measure, start + result.phases.drain],
    }
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
