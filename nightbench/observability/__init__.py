"""What a backend imports to be watched by Sentry: one `init`, and helpers that cost nothing while it is off.

Importing this loads neither `sentry_sdk` nor anything else that is heavy.
"""

from nightbench.observability.capture import capture_exception, capture_message
from nightbench.observability.setup import init
from nightbench.observability.tracing import start_transaction, trace_async, trace_sync

__all__ = [
    "capture_exception",
    "capture_message",
    "init",
    "start_transaction",
    "trace_async",
    "trace_sync",
]
