"""``nightbench reference``: the backend that is loaded by default, to look at or to load by hand."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from nightbench import settings as settings_module
from nightbench.errors import ExitCode, NightbenchError
from nightbench.reference.staging import Staging

if TYPE_CHECKING:
    from nightbench.reference.supervisor import Address

app = App(name="reference", help="The reference backend and its PostgreSQL, to look at or to load by hand.")

UP = "reference-up"
"""The kind of instance folder that ``down`` looks for."""

STOP_SECONDS = 20.0


@app.command
def up(
    *,
    staging: Annotated[Staging | None, Parameter(name="*")] = None,
    json: Annotated[
        bool,
        Parameter(negative="", help="print one line of JSON: websocket_url, token, dsn, counters_url, pid"),
    ] = False,
) -> ExitCode:
    """Start the reference backend and stay until Ctrl-C.

    Its ports are others each time, and so it is another subject to the history: what is to be compared runs against
    the same one, or with neither `--url` nor `--dsn`, which is the same subject whatever its ports.

    For example:

    - `nightbench reference up`
    - `nightbench reference up --delay fixed --delay-ms 2500`: every reply is slow
    - `nightbench reference up --refuse-rate 0.2 --error-rate 0.05 --json`
    """
    from nightbench.reference.supervisor import Watch, supervise  # noqa: PLC0415  # --help stays quick

    settings = settings_module.load()
    dsn = settings.reference_sentry_dsn
    watch = Watch(dsn.get_secret_value(), settings.environment) if dsn else None
    announce = _print_json if json else _print_words
    supervise(settings.cache, UP, staging or Staging(), announce=announce, watch=watch)
    return ExitCode.MET


@app.command
def down() -> ExitCode:
    """End every `nightbench reference up` of this cache folder."""
    from nightbench.instances import living  # noqa: PLC0415  # --help stays quick

    cache = settings_module.load().cache
    running = living(cache, UP)
    for folder in running:
        pid = int(folder.name.rsplit("-", 2)[1])
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while folder in living(cache, UP):
            if time.monotonic() > deadline:
                msg = f"the reference backend with pid {pid} did not end within {STOP_SECONDS:.0f} s"
                raise NightbenchError(msg)
            time.sleep(0.05)
        print(f"ended the reference backend with pid {pid}")  # noqa: T201  # what was asked for
    if not running:
        print("no reference backend is running")  # noqa: T201
    return ExitCode.MET


def _print_json(address: Address) -> None:
    print(address.as_line(), flush=True)  # noqa: T201


def _print_words(address: Address) -> None:
    # the secrets are made for this one run, and whoever started it needs them
    print(  # noqa: T201
        f"""The reference backend is up until Ctrl-C.

export NIGHTBENCH_WEBSOCKET_URL='{address.websocket_url}'
export NIGHTBENCH_TOKEN='{address.token}'
export NIGHTBENCH_DATABASE_DSN='{address.dsn}'

With these set in another terminal, `nightbench websocket`, `nightbench database` and
`nightbench run quick` load it. It counts for itself at {address.counters_url}""",
        flush=True,
    )
