"""Whether somebody watches: the one question that every helper asks first."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

log: Final = logging.getLogger("nightbench.observability")


def watching() -> Any | None:
    """The SDK's module while it has a client, None when there is nobody to tell.

    A process that never imported the SDK pays for a look into a dict.
    """
    sdk = sys.modules.get("sentry_sdk")
    try:
        return sdk if sdk is not None and sdk.get_client().is_active() else None
    except AttributeError:  # another thread is in the middle of importing it
        return None
