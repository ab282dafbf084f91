"""Chat exchanges with Locust: one user, one connection, websocket-client under gevent, which is how its users do it.

Full accounting: each reply is parsed, matched by id, and fired as a request event.
"""

from __future__ import annotations

import json
import os
import time

from locust import (  # type: ignore[import-not-found]  # lives in an environment of its own
    User,
    constant,
    constant_throughput,
    task,
)
from websocket import create_connection  # type: ignore[import-not-found]  # as above

URL = os.environ["URL"]
USERS = int(os.environ["USERS"])
RATE = float(os.environ.get("RATE", "0"))
"""Messages per second of all users; 0 is the closed loop."""
MESSAGE = os.environ["MESSAGE"]


class Chatter(User):  # type: ignore[misc]  # Any, as above
    """Sends, waits for the whole reply, and does so again."""

    wait_time = constant_throughput(RATE / USERS) if RATE else constant(0)

    def on_start(self) -> None:
        """Connect once."""
        self.socket = create_connection(URL, enable_multithread=False)
        self.sequence = 0

    def on_stop(self) -> None:
        """Disconnect."""
        self.socket.close()

    @task  # type: ignore[untyped-decorator]  # Any, as above
    def chat(self) -> None:
        """One exchange."""
        self.sequence += 1
        message_id = f"{id(self)}-{self.sequence}"
        began = time.perf_counter()
        error: Exception | None = None
        reply = ""
        try:
            self.socket.send(json.dumps({"type": "chat", "id": message_id, "message": MESSAGE}))
            reply = self.socket.recv()
            answer = json.loads(reply)
            if answer.get("id") != message_id or answer.get("type") != "done":
                error = ValueError("wrong reply")
        except Exception as caught:  # noqa: BLE001  # whatever it is, Locust counts it
            error = caught
        self.environment.events.request.fire(
            request_type="WS",
            name="chat",
            response_time=(time.perf_counter() - began) * 1000,
            response_length=len(reply),
            exception=error,
            context={},
        )
