"""What the backend counts agrees with what lies in PostgreSQL, also when clients vanish in mid-reply."""

import asyncio
import json

import psycopg
from reference.conftest import get_json, running
from waiting import until
from websockets.asyncio.client import connect

from nightbench.reference.conversations import SOURCE
from nightbench.tenants import SET_TENANT, claims, tenant_id

CLIENTS = 30
MESSAGES = 20


async def vanish(address, replies):
    """Send all messages, read `replies` messages of the answer, cut the line."""
    client = await connect(
        address.websocket_url,
        additional_headers={"Authorization": f"Bearer {address.token}"},
        compression=None,
    )
    for number in range(MESSAGES):
        await client.send(json.dumps({"type": "chat", "id": str(number), "message": "x"}))
    for _ in range(replies):
        await client.recv()
    client.transport.abort()
    await client.wait_closed()


def written(dsn):
    """Rows of the backend by table; it hands out one tenant a connection, in their order."""
    counts = {"conversations": 0, "messages": 0}
    with psycopg.connect(dsn) as connection:
        for number in range(1, CLIENTS + 1):
            connection.execute(SET_TENANT, (claims(tenant_id(number)),))
            for table in counts:
                counts[table] += connection.execute(
                    f"SELECT count(*) FROM {table} WHERE source = %s", (SOURCE,)
                ).fetchone()[0]
            connection.rollback()
    return counts


def test_rows_of_clients_that_vanish_are_counted_exactly():
    with running("--delay", "fixed", "--delay-ms", "0") as address:
        for number in range(CLIENTS):
            asyncio.run(vanish(address, replies=number))
        until(lambda: not get_json(address.counters_url)["connections_open"])
        assert get_json(address.counters_url)["rows_written"] == written(address.dsn)
