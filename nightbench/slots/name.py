"""The second lock of a slot: a name that nobody can remove, as a cache cleaner can remove the file of the first one."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import sys
from pathlib import Path


def kept_name(slot: Path) -> tuple[int, ...] | None:
    """Keep the name that belongs to the path of a slot's file, until the last process that has its descriptor has ended.

    It is the name of an abstract Unix socket, of which there is one at a time in a network namespace, whoever asks;
    nobody can connect to it. Linux alone has them: elsewhere there is the file alone.

    Returns:
        Its descriptor, if there is one; None when another run keeps the name.

    Raises:
        OSError: when there is no socket to be had.
    """
    if sys.platform != "linux":
        return ()
    path = os.fsencode(os.path.realpath(slot))
    with socket.socket(socket.AF_UNIX) as name:
        try:
            name.bind(b"\0nightbench-slot-" + hashlib.sha256(path).hexdigest()[:32].encode())
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return None
            raise
        return (name.detach(),)
