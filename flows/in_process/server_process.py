"""The process of a Prefect server, embedded or of ``nightbench serve``: ``python -m flows.in_process.server_process FD``.

It serves on the listening socket that it inherits as file descriptor FD. Its standard input is its
lifeline: when it closes, also because the parent was killed, the process ends at once.
"""

from __future__ import annotations

import gc
import os
import socket
import sys

from nightbench.processes import watch_lifeline


def main(descriptor: int) -> None:
    """Serve until the lifeline closes."""
    # before the imports, which take seconds in which the parent may die; there is nothing to finish, since what
    # was answered is in the database
    watch_lifeline(lambda: os._exit(0))
    listener = socket.socket(fileno=descriptor)

    # what is imported and made now stays: to look through all of it again and again takes a fifth of the start
    gc.disable()
    import uvicorn  # noqa: PLC0415  # see above
    from prefect.server.api.server import create_app  # noqa: PLC0415

    app = create_app()
    gc.freeze()
    gc.enable()
    config = uvicorn.Config(app, lifespan="on", log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(int(sys.argv[1]))
