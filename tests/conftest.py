"""What holds for every test."""

import os
import signal

from hypothesis import settings

settings.register_profile("nightbench", deadline=None)  # a wall time says nothing on a busy machine
settings.load_profile("nightbench")

# Under nohup or in the background of a shell some signals are ignored, and every process that a test starts
# would inherit that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# The settings of whoever runs the tests are not theirs: an exported DSN would be sent the alerts of the tests.
for name in list(os.environ):
    if name.startswith(("NIGHTBENCH_", "PREFECT_")) and name != "NIGHTBENCH_CACHE":
        del os.environ[name]
