"""What the server calls the worker of ``nightbench serve``."""

import platform

WORKER_NAME = f"nightbench on {platform.node()}"
"""Of the worker that ``nightbench serve`` starts on this machine."""
