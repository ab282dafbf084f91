"""A whole stress test in this process, so that a test can reach into it."""

import threading

from nightbench.database.generator import run_generator
from nightbench.database.metrics import database_metrics
from nightbench.database.provisions import load_provisions
from nightbench.database.result import DatabaseSpec
from nightbench.database.steward import Steward
from nightbench.load.shards import Parts
from nightbench.plan import DatabasePlan

OF_THE_LOAD = "current_setting('application_name') = 'nightbench'"
"""In a trigger: what goes wrong for the load, and not for the checks before it and the looks after it."""


def load(dsn, *, on_progress=lambda _: None, stop=None, allowed=(), **plan):
    """The result of 200 queries of the default workload, or of what `plan` changes."""
    numbers = {"queries": 200, "workers": 4, "warmup": 0.2, "tenants": 50, **plan}
    if numbers.get("model", "open") == "open":
        numbers.setdefault("rate", 200)
    plan = DatabasePlan(**numbers)
    spec = DatabaseSpec(plan, dsn, "test-run", load_provisions(plan), tuple(allowed))
    result = Steward(spec, on_progress, stop or threading.Event(), in_this_process).run()
    for accounts in (result.load.counted, result.load.uncounted):
        for operation, counts in accounts.items():
            counts.check(operation)
    return result


def in_this_process(specs, on_progress, stop):
    (spec,) = specs
    return Parts([run_generator(spec, on_progress, stop)], {})


def metric(result, name):
    """The value of one metric."""
    metrics = database_metrics(result, DatabasePlan(queries=1, workers=1))
    return next(item.value for item in metrics if item.name == name)
