"""Whether something listens at an address, as it is asked before a load test."""

import asyncio
import contextlib
import socket
import struct
import threading

from nightbench.websocket.load_test import check_reachable


def test_one_that_resets_each_connection_has_been_reached():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=resets, args=(listener,), daemon=True).start()
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
        for _ in range(300):  # its reset comes before the end of the check, or after
            asyncio.run(check_reachable(url))


def resets(listener):
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
