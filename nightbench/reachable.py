"""Whether what is to be loaded answers at the addresses that are set."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from nightbench.database.checking import checks
from nightbench.errors import ConfigurationError
from nightbench.plan import Suite
from nightbench.settings import Settings
from nightbench.websocket import load_test


async def check_reachable(settings: Settings, needs: Collection[Suite]) -> None:
    """Try the addresses of the suites in `needs`, as far as they are set.

    Raises:
        ConfigurationError: for the first at which nothing answers, by its name where it was set.
    """
    try:
        if settings.websocket_url is not None and "websocket" in needs:
            await load_test.check_reachable(settings.websocket_url)
        if settings.database_dsn is not None and "database" in needs:
            await asyncio.to_thread(checks.check_reachable, settings.database_dsn.get_secret_value())
    except ConfigurationError as error:
        raise settings.as_set(error) from None
