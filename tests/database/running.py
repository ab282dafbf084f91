"""A whole stress test in this process, so that a test can reach into it."""

import os
import signal
import threading
from contextlib import contextmanager

import psutil
from waiting import PATIENCE

from nightbench.database.generator import run_generator
from nightbench.database.metrics import database_metrics
from nightbench.database.provisions import load_provisions
from nightbench.database.records import Records
from nightbench.database.result import DatabaseSpec
from nightbench.database.steward import Steward
from nightbench.load.shards import Parts
from nightbench.plan import DatabasePlan

OF_THE_LOAD = "current_setting('application_name') = 'nightbench'"
"""In a trigger: what goes wrong for the load, and not for the checks before it and the looks after it."""


def load(dsn, *, on_progress=lambda _: None, stop=None, allowed=(), **plan):
    """The result of 200 queries of the default workload, or of what `plan` changes.

    `on_progress` hears of the load alone, however long it takes to prepare it.
    """

    def report(progress):
        if progress.phase not in ("prepare", "cleanup"):
            on_progress(progress)

    numbers = {"queries": 200, "workers": 4, "warmup": 0.2, "tenants": 50, **plan}
    if numbers.get("model", "open") == "open":
        numbers.setdefault("rate", 200)
    plan = DatabasePlan(**numbers)
    spec = DatabaseSpec(plan, dsn, "test-run", load_provisions(plan), tuple(allowed))
    result = Steward(spec, report, stop or threading.Event(), in_this_process).run()
    for accounts in (result.load.counted, result.load.uncounted):
        for operation, counts in accounts.items():
            counts.check(operation)
    return result


def once(action):
    """As on_progress: `action` at the first report."""
    left = [action]
    return lambda _progress: left.pop()() if left else None


def once_some_counted(monkeypatch, action):
    """As on_progress: `action` at the first report, which waits until twenty operations that count have ended well."""
    some, ended, end = threading.Event(), [], Records.end

    def tell(records, worker, turn, statement, transaction, *, ready):
        end(records, worker, turn, statement, transaction, ready=ready)
        if turn.counted is not None and transaction.error is None:
            ended.append(turn)
            if len(ended) >= 20:
                some.set()

    def act():
        assert some.wait(PATIENCE)
        action()

    monkeypatch.setattr(Records, "end", tell)
    return once(act)


def postmaster_of(server):
    """Its process."""
    return int((server.folder / "data" / "postmaster.pid").read_text().split()[0])


@contextmanager
def frozen(server):
    """A function that stops every process of `server`; they go on at the end of the block."""
    postmaster, stopped = postmaster_of(server), []

    def freeze():
        # first who would collect those that end meanwhile: no number is anybody else's
        os.kill(postmaster, signal.SIGSTOP)
        stopped.append(postmaster)
        for child in psutil.Process(postmaster).children():
            os.kill(child.pid, signal.SIGSTOP)
            stopped.append(child.pid)

    try:
        yield freeze
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)


def in_this_process(specs, on_progress, stop):
    (spec,) = specs
    return Parts([run_generator(spec, on_progress, stop)], {})


def metric(result, name):
    """The value of one metric."""
    metrics = database_metrics(result, DatabasePlan(queries=1, workers=1))
    return next(item.value for item in metrics if item.name == name)
