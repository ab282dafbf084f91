"""A connection to a server that does what it should."""

import asyncio
import gc
import tracemalloc

import pytest
import uvloop
from certificates import Authority
from servers import accepting, chat_server, raw_server
from wire import LOOPS, WAIT, arrived, connected, lost_with

from nightbench.plan.conversation import TlsOptions
from nightbench.websocket.client import Connection, Endpoint


async def echo(websocket):
    async for message in websocket:
        await websocket.send(message)


@LOOPS
@pytest.mark.parametrize("size", [0, 5, 125, 126, 65_535, 65_536, 300_000])
def test_a_message_of_any_length_comes_back(size, run):
    with chat_server(echo) as url:
        assert arrived(url, first_words=b"x" * size, run=run) == [(b"x" * size, False)]


def test_text_and_binary_are_sent_as_such():
    async def main(url):
        messages, enough = [], asyncio.Event()

        def take(payload, binary):
            messages.append((payload, binary))
            if len(messages) == 2:
                enough.set()

        connection = await connected(url, on_message=take)
        connection.send("für".encode())
        connection.send(b"\x00\xff", binary=True)
        await asyncio.wait_for(enough.wait(), WAIT)
        await connection.close()
        return messages

    with chat_server(echo) as url:
        assert uvloop.run(main(url)) == [("für".encode(), False), (b"\x00\xff", True)]


@LOOPS
def test_compression_is_used_when_both_want_it(run):
    seen = []

    async def handler(websocket):
        seen.append(websocket.protocol.extensions)
        await echo(websocket)

    words = b"the same words again and again " * 100
    with chat_server(handler, compression="deflate") as url:
        assert arrived(url, first_words=words, compression=True, run=run) == [(words, False)]
        assert arrived(url, first_words=words, run=run) == [(words, False)]
    with chat_server(handler) as url:
        assert arrived(url, first_words=words, compression=True, run=run) == [(words, False)]
    assert [len(extensions) for extensions in seen] == [1, 0, 0]


def test_each_connection_has_a_compression_of_its_own():
    async def main(url):
        endpoint = Endpoint.of(url, compression=True)
        echoes = [asyncio.get_running_loop().create_future() for _ in range(3)]
        for number, future in enumerate(echoes):
            connection = Connection(
                endpoint, (), lambda payload, _, future=future: future.set_result(payload), lambda _: None
            )
            await connection.open(within=5)
            connection.send(b"hello %d" % number)
            await asyncio.wait_for(future, WAIT)
            await connection.close()
        return [future.result() for future in echoes]

    with chat_server(echo, compression="deflate") as url:
        assert uvloop.run(main(url)) == [b"hello 0", b"hello 1", b"hello 2"]


def test_a_loss_within_tls_is_named(tmp_path):
    async def handler(websocket):
        await websocket.recv()
        await websocket.close(1012)

    with chat_server(handler, ssl=Authority(tmp_path).server_context()) as url:
        assert lost_with(url, tls=TlsOptions(verify=False)) == "close_1012"


def test_closing_says_goodbye_with_1000():
    codes = []

    async def handler(websocket):
        await websocket.wait_closed()
        codes.append(websocket.close_code)

    async def main(url):
        connection = await connected(url)
        await connection.close()
        assert not connection.is_open

    with chat_server(handler) as url:
        uvloop.run(main(url))
    assert codes == [1000]


@LOOPS
def test_nothing_is_told_after_close(run):
    told = []

    async def behave(reader, writer):
        await reader.read(1)  # our close frame
        writer.write(b"\x81\x04late\x88\x02\x03\xf3")

    async def main(url):
        connection = await connected(
            url, on_message=lambda *message: told.append(message), on_lost=told.append
        )
        await connection.close()

    with raw_server(accepting(behave)) as url:
        run(main(url))
    assert told == []


@LOOPS
def test_a_loss_at_the_end_of_the_loop_leaves_no_socket_behind(run):
    with raw_server(accepting(b"\x88\x02\x03\xe8")) as url:

        async def main():
            lost = asyncio.get_running_loop().create_future()
            await connected(url, on_lost=lost.set_result)
            await asyncio.wait_for(lost, WAIT)

        run(main())
    gc.collect()  # an unclosed transport would warn, which fails the test


def test_an_open_connection_takes_little_memory():
    count = 200

    async def main(url):
        endpoint = Endpoint.of(url)
        first = Connection(endpoint, (), _take, _lose)
        await first.open(within=5)
        gc.collect()
        tracemalloc.start()
        connections = [Connection(endpoint, (("X-User", "1"),), _take, _lose) for _ in range(count)]
        for connection in connections:
            await connection.open(within=5)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await asyncio.gather(*(connection.close() for connection in [first, *connections]))
        return taken / count

    def _take(*_):
        pass

    def _lose(_):
        pass

    async def behave(reader, _writer):
        await reader.read(1)

    with raw_server(accepting(behave)) as url:
        both_ends = uvloop.run(main(url))
    # tracemalloc sees the server's end too, which is in this process
    assert both_ends < 16 * 1024


@LOOPS
def test_a_long_message_right_behind_the_handshake_arrives_in_one_piece(run):
    """It takes several reads, the first of which comes with the response."""
    history = b"h" * 1_500_000
    frame = b"\x81\x7f" + len(history).to_bytes(8, "big") + history
    with raw_server(accepting(frame + b"\x81\x05after")) as url:
        assert arrived(url, count=2, run=run) == [(history, False), (b"after", False)]
