"""A server that reads nothing, or never answers a close: nothing piles up here, and nobody waits for it."""

import asyncio
import queue

import pytest
from servers import accepting, raw_server
from wire import LOOPS, WAIT, connected

from nightbench.websocket.client import CLOSE_SECONDS, Connection


async def silence(reader, _writer):
    await reader.read()


async def _end(reader, _writer):
    await reader.read(1)


def after_congestion(behave):
    """A server that reads nothing, until its client has filled all buffers: (handler, call it then)."""
    loop, full = queue.SimpleQueue(), asyncio.Event()

    async def handler(reader, writer):
        reader._transport.pause_reading()
        loop.put(asyncio.get_running_loop())
        await full.wait()
        await behave(reader, writer)

    return accepting(handler), lambda: loop.get(timeout=WAIT).call_soon_threadsafe(full.set)


async def congest(connection):
    while not connection.is_congested:
        connection.send(b"x" * 100_000)
        await asyncio.sleep(0)


@LOOPS
def test_answers_to_pings_do_not_pile_up_when_nobody_reads_them(run):
    async def ping(_reader, writer):
        for _ in range(100):
            writer.write(b"\x89\x7d" + b"x" * 125)
            await asyncio.sleep(0.001)  # in packets of their own, or nearly
        writer.write(b"\x81\x04done")
        await asyncio.sleep(WAIT)

    async def main(url):
        done = asyncio.Event()
        connection = await connected(url, on_message=lambda _payload, _binary: done.set())
        await congest(connection)
        size = connection._transport.get_write_buffer_size()
        go_on()
        await asyncio.wait_for(done.wait(), WAIT)
        assert connection._transport.get_write_buffer_size() <= size
        assert connection.is_open
        await connection.close()

    behaviour, go_on = after_congestion(ping)
    with raw_server(behaviour) as url:
        run(main(url))


@LOOPS
def test_a_server_that_reads_nothing_makes_the_connection_congested_until_it_does(run):
    async def read(reader, _writer):
        reader._transport.resume_reading()
        while await reader.read(2**16):
            pass

    async def main(url):
        relieved = asyncio.Event()

        class Watched(Connection):
            def resume_writing(self):
                super().resume_writing()
                relieved.set()

        connection = await connected(url, of=Watched)
        await congest(connection)
        assert connection.is_open
        go_on()
        await asyncio.wait_for(relieved.wait(), WAIT)
        assert not connection.is_congested
        await connection.close()

    behaviour, go_on = after_congestion(read)
    with raw_server(behaviour) as url:
        run(main(url))


@LOOPS
def test_a_server_that_ends_but_reads_nothing_is_lost_and_its_socket_freed(run):
    async def end(_reader, writer):
        writer.write_eof()
        await asyncio.sleep(WAIT)

    async def main(url):
        lost = asyncio.get_running_loop().create_future()
        freed = asyncio.Event()

        class Watched(Connection):
            def connection_lost(self, exc):
                super().connection_lost(exc)
                freed.set()

        connection = await connected(url, on_lost=lost.set_result, of=Watched)
        await congest(connection)
        go_on()
        assert await asyncio.wait_for(lost, WAIT) == "close_1006"
        await asyncio.wait_for(freed.wait(), CLOSE_SECONDS + WAIT)

    behaviour, go_on = after_congestion(end)
    with raw_server(behaviour) as url:
        run(main(url))


@LOOPS
@pytest.mark.parametrize("behave", [silence, _end], ids=["silence", "a close that is not answered"])
def test_closing_waits_for_no_server_that_says_nothing(behave, run):
    async def main(url):
        connection = await connected(url)
        async with asyncio.timeout(CLOSE_SECONDS + WAIT):
            await connection.close()
        assert not connection.is_open

    with raw_server(accepting(behave)) as url:
        run(main(url))
