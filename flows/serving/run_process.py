"""The process of a flow run: ``python -m flows.serving.run_process prefect.engine``, named as Prefect's own would be.

It is started before there is a run. It imports what every run needs, which takes longer than all else at the begin of
one, then waits for one line on its standard input: the environment of its run.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
from contextlib import suppress

AHEAD = ("prefect.flow_engine", "prefect._internal.metrics", "flows.nightly", "nightbench.report.charts.spec")
"""What is imported ahead, with all that it imports: the engine, a night, and what draws it."""


def main(program: str) -> None:
    """Run `program` as soon as it is known for whom; end when nobody is left to tell."""
    for module in AHEAD:
        with suppress(Exception):  # a run that needs it will tell, in its own log
            importlib.import_module(module)
    line = sys.stdin.buffer.readline()
    if not line:
        return
    os.environ.clear()
    os.environ.update(json.loads(line))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.modules.pop(program, None)  # of which another is to be made
    sys.argv = [program]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
