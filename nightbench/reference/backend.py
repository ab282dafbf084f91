"""The reference backend: a FastAPI app with a chat WebSocket over PostgreSQL, in the shape of PAM."""

from __future__ import annotations

import hmac
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, WebSocket
from fastapi.responses import JSONResponse
from psycopg_pool import AsyncConnectionPool

from nightbench.reference.chat import Chat, Counters
from nightbench.reference.conversations import POOL_SIZE, Conversations
from nightbench.reference.staging import Fate, Staging
from nightbench.tenants import TENANTS, tenant_id

CHAT_PATH = "/api/v1/pam"


def create_app(dsn: str, token: str, staging: Staging) -> FastAPI:
    """The app; `dsn` logs in as the role that may become ``authenticated``."""
    counters = Counters()
    fate = Fate(staging)
    pool = AsyncConnectionPool(dsn, min_size=POOL_SIZE, max_size=POOL_SIZE, open=False, name="reference")
    conversations = Conversations(pool)
    tenants = itertools.cycle(tenant_id(number) for number in range(1, TENANTS + 1))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with pool:
            await pool.wait(timeout=30)
            yield

    app = FastAPI(title="nightbench reference backend", lifespan=lifespan, docs_url=None, redoc_url=None)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/counters")
    async def count() -> dict[str, Any]:
        counters.rows_written = dict(conversations.rows)
        return asdict(counters)

    @app.websocket(CHAT_PATH)
    async def chat(websocket: WebSocket) -> None:
        status = _refusal(websocket, token, fate, beside=counters.connections_open)
        if status is not None:
            counters.connections_refused += 1
            await websocket.send_denial_response(JSONResponse({"detail": "refused"}, status))
            return
        counters.connections_open += 1  # first, as another handshake may come before this one is through
        try:
            await websocket.accept()
            counters.connections_accepted += 1
            talk = Chat(
                websocket,
                next(tenants),
                conversations=conversations,
                fate=fate,
                counters=counters,
                chunks=staging.chunks,
            )
            await talk.talk()
        finally:
            counters.connections_open -= 1

    return app


def _refusal(websocket: WebSocket, token: str, fate: Fate, *, beside: int) -> int | None:
    """The HTTP status that a handshake is refused with, None when it is welcome."""
    scheme, _, bearer = websocket.headers.get("authorization", "").partition(" ")
    given = bearer if scheme.lower() == "bearer" else websocket.query_params.get("token", "")
    if not hmac.compare_digest(given.encode(), token.encode()):
        return 401
    return 503 if fate.refuses_connection(time.monotonic(), beside=beside) else None
