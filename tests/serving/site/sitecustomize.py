"""Every interpreter of the shared stack runs this first: a flow run with STAGED_SUITES gets staged suites."""

import gc
import os
import sys

# most of what these interpreters do is to import, of which to look for rubbish takes a tenth
gc.set_threshold(200_000)

# those that lead to the engine's own process, and its children, do not need this
if "STAGED_SUITES" in os.environ and "prefect.engine" in sys.orig_argv:
    from pathlib import Path

    tests = Path(__file__).parents[2]
    sys.path[:0] = [str(tests / "serving"), str(tests / "flows"), str(tests)]
    import staging

    staging.stage(os.environ["STAGED_SUITES"])
