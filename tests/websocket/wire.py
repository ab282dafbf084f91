"""One connection of ours to a server of a test."""

import asyncio

import pytest
import uvloop

from nightbench.websocket.client import Connection, ConnectionFailedError, Endpoint

LOOPS = pytest.mark.parametrize("run", [uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])
WAIT = 10.0
"""Seconds that only catch what hangs."""


async def connected(url, headers=(), *, on_message=None, on_lost=None, within=5.0, of=Connection, **endpoint):
    """An open connection."""
    connection = of(
        Endpoint.of(url, **endpoint),
        headers,
        on_message or (lambda _payload, _binary: None),
        on_lost or (lambda _error: None),
    )
    await connection.open(within=within)
    return connection


def failure_of(url, *, run=uvloop.run, **options):
    """The class with which a connection cannot be opened."""
    with pytest.raises(ConnectionFailedError) as caught:
        run(connected(url, **options))
    return caught.value.error


def lost_with(url, first_words=b"hello", *, run=uvloop.run, **options):
    """Open, say something, and wait until the connection is lost: the class."""

    async def main():
        lost = asyncio.get_running_loop().create_future()
        connection = await connected(url, on_lost=lost.set_result, **options)
        if connection.is_open:
            connection.send(first_words)
        error = await asyncio.wait_for(lost, WAIT)
        assert not connection.is_open
        await connection.close()
        return error

    return run(main())


def arrived(url, *, count=1, first_words=b"hello", run=uvloop.run, **options):
    """Open, say something, and wait for so many messages: (payload, whether it is binary) of each."""

    async def main():
        messages, enough = [], asyncio.Event()

        def take(payload, binary):
            messages.append((payload, binary))
            if len(messages) == count:
                enough.set()

        connection = await connected(url, on_message=take, **options)
        connection.send(first_words)
        await asyncio.wait_for(enough.wait(), WAIT)
        assert connection.is_open
        await connection.close()
        return messages

    return run(main())
