"""How the steward of a stress test is run, in a process of its own.

That of the load starts first, and both import what they need at one time: a steward has much to import, and much
to do before it has anything to load.
"""

from __future__ import annotations

import threading

from nightbench.database.loading import Processes, by_parent
from nightbench.database.result import DatabaseResult, DatabaseSpec
from nightbench.load.progress import OnProgress

CLEANING_SECONDS = 40.0
"""How long an interrupted run may take to end its load and remove its rows, on top of what the plan gives its
operations."""


def run_steward(spec: DatabaseSpec, on_progress: OnProgress, stop: threading.Event) -> DatabaseResult | None:
    """Run one stress test, its load in processes of their own; None when `stop` was set before it began."""
    with Processes(spec.plan) as processes:
        from nightbench.database.steward import Steward  # noqa: PLC0415  # see above

        return Steward(spec, on_progress, stop, processes.run).run()


def run_steward_of_others(
    spec: DatabaseSpec, on_progress: OnProgress, stop: threading.Event
) -> DatabaseResult | None:
    """The same with a load that the parent of this process has others make."""
    from nightbench.database.steward import Steward  # noqa: PLC0415  # see above

    return Steward(spec, on_progress, stop, by_parent).run()
