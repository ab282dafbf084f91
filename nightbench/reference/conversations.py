"""The backend's own work in PostgreSQL: store a message, read the conversation, under row-level security."""

from __future__ import annotations

from uuid import UUID, uuid4

from psycopg_pool import AsyncConnectionPool

from nightbench.tenants import SET_TENANT, claims

SOURCE = "pam"
"""Marks the rows that the backend writes, beside those that the database was seeded with."""

POOL_SIZE = 10

_OPEN = "INSERT INTO conversations (id, user_id, title, source) VALUES (%s, %s, 'Chat', %s)"
_STORE = "INSERT INTO messages (conversation_id, user_id, role, content, source) VALUES (%s, %s, %s, %s, %s)"
_HISTORY = "SELECT role, content FROM messages WHERE conversation_id = %s ORDER BY created_at DESC LIMIT 20"


class Conversations:
    """The conversations of all tenants, over one pool.

    Attributes:
        rows: How many rows were committed, by table.
    """

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self.rows = {"conversations": 0, "messages": 0}

    async def open(self, tenant: UUID) -> UUID:
        """Begin a conversation of `tenant` and return its id."""
        conversation = uuid4()
        async with self._pool.connection() as connection, connection.pipeline():
            await connection.execute(SET_TENANT, (claims(tenant),))
            await connection.execute(_OPEN, (conversation, tenant, SOURCE))
        self.rows["conversations"] += 1
        return conversation

    async def ask(self, tenant: UUID, conversation: UUID, text: str) -> int:
        """Store what the user said and read the conversation so far; return how many messages it has."""
        async with self._pool.connection() as connection, connection.pipeline():
            await connection.execute(SET_TENANT, (claims(tenant),))
            await connection.execute(_STORE, (conversation, tenant, "user", text, SOURCE))
            history = await connection.execute(_HISTORY, (conversation,))
            length = len(await history.fetchall())
        self.rows["messages"] += 1
        return length

    async def answer(self, tenant: UUID, conversation: UUID, text: str) -> None:
        """Store what the assistant said."""
        async with self._pool.connection() as connection, connection.pipeline():
            await connection.execute(SET_TENANT, (claims(tenant),))
            await connection.execute(_STORE, (conversation, tenant, "assistant", text, SOURCE))
        self.rows["messages"] += 1
