"""The subject of a run: the addresses that are set, and the embedded reference for what is not."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from nightbench.errors import ExitCode, NightbenchError
from nightbench.plan import Suite
from nightbench.processes import end, last_words
from nightbench.scrub import scrub
from nightbench.settings import Settings
from nightbench.slots.inherited import slot_descriptors
from nightbench.subject import Subject

START_SECONDS = 60.0
"""The first start builds the database; 3 s are usual, a busy machine takes longer."""
STOP_SECONDS = 15.0

BOTH: frozenset[Suite] = frozenset({"websocket", "database"})


@asynccontextmanager
async def provide_subject(settings: Settings, *, needs: frozenset[Suite] = BOTH) -> AsyncIterator[Subject]:
    """Provide what the suites in `needs` load, for the length of the block.

    What the settings name is used as it is. For the rest the embedded reference is started and stopped;
    with one address set and both needed, the other suite loads the embedded one.

    Raises:
        NightbenchError: when the embedded reference does not come up, with the end of its log.
    """
    url = settings.websocket_url if "websocket" in needs else None
    dsn = settings.database_dsn.get_secret_value() if settings.database_dsn and "database" in needs else None
    token = settings.token.get_secret_value() if settings.token else None
    allowed = settings.database_allowed
    external = Subject(websocket_url=url, token=token, dsn=dsn, database_allowed=allowed)
    addresses: dict[Suite, str | None] = {"websocket": url, "database": dsn}
    missing = frozenset(suite for suite in needs if not addresses[suite])
    if not missing:
        yield external
        return
    async with _embedded_reference(settings) as embedded:
        yield Subject(
            websocket_url=url or (embedded.websocket_url if "websocket" in needs else None),
            token=token if url else embedded.token,
            dsn=dsn or (embedded.dsn if "database" in needs else None),
            database_allowed=allowed,
            embedded=missing,
        )


@asynccontextmanager
async def _embedded_reference(settings: Settings) -> AsyncIterator[Subject]:
    """Run the reference backend in a process of its own for the length of the block.

    It ends with the block, and also when this process dies: its standard input is its lifeline.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "nightbench.reference",
        "--cache",
        str(settings.cache),
        env=_environment(settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        pass_fds=slot_descriptors(),
    )
    errors = asyncio.create_task(last_words(process.stderr))
    try:
        address = await _address(process, errors)
        yield Subject(
            websocket_url=address["websocket_url"],
            token=address["token"],
            dsn=address["dsn"],
            embedded=BOTH,
        )
    finally:
        await end(process, grace=STOP_SECONDS)
        await errors


def _environment(settings: Settings) -> dict[str, str]:
    """That of this process, with what the backend is to know of the settings; a secret is no argument of a command."""
    dsn = settings.reference_sentry_dsn
    watched = {"NIGHTBENCH_REFERENCE_SENTRY_DSN": dsn.get_secret_value()} if dsn else {}
    return {**os.environ, "NIGHTBENCH_ENVIRONMENT": settings.environment, **watched}


async def _address(process: asyncio.subprocess.Process, errors: asyncio.Task[str]) -> dict[str, Any]:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
            code = None if line else await process.wait()
    except TimeoutError:
        msg = f"the embedded reference backend was not ready within {START_SECONDS:.0f} s"
        raise NightbenchError(msg) from None
    if not line:
        said = scrub(await errors) or f"it ended with code {code}"
        error = NightbenchError(f"the embedded reference backend did not start: {said}")
        if code == ExitCode.WRONG_USE:
            error.exit_code = ExitCode.WRONG_USE
        raise error
    address: dict[str, Any] = json.loads(line)
    return address
