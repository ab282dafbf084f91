"""The process of the embedded Prefect server: ``python -m flows.server_process FD``.

It serves on the listening socket that it inherits as file descriptor FD. Its standard input is its
lifeline: when it closes, also because the parent was killed, the process ends at once.
"""

from __future__ import annotations

import os
import socket
import sys
import threading


def main(descriptor: int) -> None:
    """Serve until the lifeline closes."""
    # before the imports, which take seconds in which the parent may die
    threading.Thread(target=_end_with_parent, daemon=True).start()
    listener = socket.socket(fileno=descriptor)

    import uvicorn  # noqa: PLC0415  # see above
    from prefect.server.api.server import create_app  # noqa: PLC0415

    config = uvicorn.Config(create_app, factory=True, lifespan="on", log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(0)  # what it served is thrown away: nothing to finish


if __name__ == "__main__":
    main(int(sys.argv[1]))
