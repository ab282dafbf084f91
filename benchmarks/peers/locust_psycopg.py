"""Expense listings with Locust: one user, one connection of psycopg under gevent, each transaction one request event."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

import psycopg
from locust import User, constant, task  # type: ignore[import-not-found]  # lives in an environment of its own
from psycopg.types.string import TextLoader

sys.path.insert(0, str(Path(__file__).parents[2]))  # Locust starts from its file alone

from benchmarks.peers.tenants import claims_of_all

SET_TENANT = os.environ["SET_TENANT"].encode()
STATEMENT = os.environ["STATEMENT"].encode()
OFFSETS: list[int] = json.loads(os.environ["OFFSETS"])
CLAIMS = claims_of_all(int(os.environ["TENANTS"]))


class Lister(User):  # type: ignore[misc]  # Any, as above
    """Lists expenses of one tenant after the other."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Connect once."""
        self.connection = psycopg.connect(os.environ["DSN"])
        self.connection.read_only = True
        self.connection.adapters.register_loader("uuid", TextLoader)
        self.cursor = self.connection.cursor()

    def on_stop(self) -> None:
        """Disconnect."""
        self.connection.close()

    @task  # type: ignore[untyped-decorator]  # Any, as above
    def listing(self) -> None:
        """One transaction."""
        began = time.perf_counter()
        error: Exception | None = None
        rows = []
        try:
            self.cursor.execute(SET_TENANT, (random.choice(CLAIMS),))  # noqa: S311  # a load, no secret
            self.cursor.execute(STATEMENT, {"offset": random.choice(OFFSETS)})  # noqa: S311  # as above
            rows = self.cursor.fetchall()
            self.connection.commit()
        except Exception as caught:  # noqa: BLE001  # whatever it is, Locust counts it
            error = caught
        self.environment.events.request.fire(
            request_type="SQL",
            name="expense_listing",
            response_time=(time.perf_counter() - began) * 1000,
            response_length=len(rows),
            exception=error,
            context={},
        )
