"""The floor: threads, each with a connection of psycopg and a loop; nothing is pooled, counted, timed or checked.

Run as a program, ``python -m benchmarks.peers.bare_psycopg``, with the variables of `Database.environment`; it
goes on until it is ended.
"""

from __future__ import annotations

import json
import os
import random
import threading

import psycopg
from psycopg.types.string import TextLoader

from benchmarks.peers.tenants import claims_of_all

SET_TENANT = os.environ["SET_TENANT"].encode()
STATEMENT = os.environ["STATEMENT"].encode()
OFFSETS: list[int] = json.loads(os.environ["OFFSETS"])
CLAIMS = claims_of_all(int(os.environ["TENANTS"]))


def load() -> None:
    """One connection: begin as a tenant, list, fetch, commit, and again."""
    connection = psycopg.connect(os.environ["DSN"])
    connection.read_only = True
    connection.adapters.register_loader("uuid", TextLoader)
    cursor = connection.cursor()
    while True:
        cursor.execute(SET_TENANT, (random.choice(CLAIMS),))  # noqa: S311  # a load, no secret
        cursor.execute(STATEMENT, {"offset": random.choice(OFFSETS)})  # noqa: S311  # as above
        cursor.fetchall()
        connection.commit()


if __name__ == "__main__":
    for _ in range(int(os.environ["WORKERS"])):
        threading.Thread(target=load).start()
