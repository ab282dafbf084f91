"""``nightbench serve``: a Prefect server, the deployments and a worker, one command."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nightbench.cli.telling import tell
from nightbench.errors import ConfigurationError, ExitCode
from nightbench.serving import Place, Serving

if TYPE_CHECKING:
    from collections.abc import Callable

SERVING = "nightbench.serving"
"""The entry points that serve; each takes a `Serving`."""

HIGHEST_PORT = 65_535

Data = Annotated[
    Path | None,
    Parameter(
        help="folder of nightbench serve, its server's database and its logs; ~/.local/share/nightbench unless set"
    ),
]
ApiUrl = Annotated[
    str | None,
    Parameter(help="a Prefect server that is there already, or Prefect Cloud; PREFECT_API_URL is the same"),
]


def serve(
    *,
    api_url: ApiUrl = None,
    host: Annotated[
        str, Parameter(help="what the server listens on; who can reach it can start runs")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, Parameter(help="4200 unless set; 0 for any that is free", show_default=False)
    ] = None,
    worker: Annotated[bool, Parameter(help="take the runs on this machine")] = True,
    data: Data = None,
    file: Annotated[Path, Parameter(help="the deployments")] = Path("prefect.yaml"),
) -> ExitCode:
    """Run the nightly schedule, with a UI to look at it and to start runs from, until Ctrl-C.

    It starts a Prefect server on a PostgreSQL of its own, makes the work pool, the deployments and the
    automations, and takes their runs. What the files say is put on the server when they have changed, so what
    is changed or paused in the UI stays so. Ctrl-C ends a run early, which keeps what it has measured.

    For example:

    - `nightbench serve`
    - `nightbench serve --api-url https://prefect.example.org/api`: only what is missing there, and a worker
    - `nightbench serve --port 4300 --data /var/lib/nightbench`
    """
    url = api_url or os.environ.get("PREFECT_API_URL") or None
    if url is not None and port is not None:
        raise ConfigurationError("--port", port, "is for a server of its own", "leave it or --api-url out")
    if port is not None and not 0 <= port <= HIGHEST_PORT:
        raise ConfigurationError("--port", port, f"is not between 0 and {HIGHEST_PORT}")
    serving = Serving(
        file=file,
        data=data or default_data(),
        api_url=url,
        host=host,
        port=port,
        worker=worker,
        tell=tell,
        on_ready=lambda place: _print_ready(place, worker=worker),
    )
    return _serve()(serving)


def default_data() -> Path:
    """Where it keeps its database and logs, unless told otherwise."""
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share") / "nightbench"


def _print_ready(place: Place, *, worker: bool) -> None:
    prefect = _prefect()
    runs = "" if worker else f" Its runs wait for a worker: {prefect} worker start --pool nightbench"
    print(  # noqa: T201  # what was asked for
        f"""Ready in {place.seconds:.1f} s, until Ctrl-C.{runs}

UI        {place.api_url.removesuffix("/api")}
run one   in the UI: Deployments, full, Run, Custom run; or in another terminal:
          export PREFECT_API_URL={place.api_url}
          {prefect} deployment run full/full --param quick=true""",
        flush=True,
    )


def _prefect() -> str:
    """How Prefect's command, the one that is installed beside nightbench, is called here."""
    own = Path(sys.executable).with_name("prefect")
    found = shutil.which("prefect")
    return (
        "prefect" if found is not None and Path(found).resolve() == own.resolve() else shlex.quote(str(own))
    )


def _serve() -> Callable[[Serving], ExitCode]:
    for point in entry_points(group=SERVING):
        serve: Callable[[Serving], ExitCode] = point.load()
        return serve
    raise ConfigurationError(SERVING, "", "nothing is installed that serves", "install nightbench again")
