"""What a server can do to a connection, on real sockets: each ends in a named class."""

import asyncio
import socket
import struct

import pytest
from servers import chat_server, raw_server

from nightbench.websocket.client import Connection, ConnectionFailedError, Endpoint


async def _open(url, token=None, *, within=2.0, on_message=lambda _: None, on_lost=lambda _: None):
    connection = Connection(Endpoint.of(url, token), on_message, on_lost)
    await connection.open(within=within)
    return connection


def failure_of(url, **options):
    with pytest.raises(ConnectionFailedError) as caught:
        asyncio.run(_open(url, **options))
    return caught.value.error


def lost_with(url, first_words="hello"):
    """Open, say something, and wait until the connection is lost: the class."""

    async def main():
        lost = asyncio.get_running_loop().create_future()
        connection = await _open(url, on_lost=lost.set_result)
        connection.send(first_words)
        error = await asyncio.wait_for(lost, 5)
        assert not connection.is_open
        await connection.close()
        return error

    return asyncio.run(main())


def http_answer(status):
    async def handler(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    return handler


@pytest.mark.parametrize("status", [301, 401, 403, 429, 500, 503])
def test_a_refused_handshake_is_named_by_its_status(status):
    with raw_server(http_answer(status)) as url:
        assert failure_of(url) == f"handshake_{status}"


async def _say_nonsense(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    await writer.drain()


async def _wrong_accept(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: bm90IHRoZSBrZXk=\r\n\r\n"
    )
    await writer.drain()


async def _silence(reader, _writer):
    await reader.read()


async def _hang_up(reader, _writer):
    await reader.readuntil(b"\r\n\r\n")


async def _reset(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (_say_nonsense, "handshake_invalid"),
        (_wrong_accept, "handshake_invalid"),
        (_silence, "connect_timeout"),
        (_hang_up, "handshake_closed"),
        (_reset, "handshake_reset"),
    ],
)
def test_a_broken_handshake_is_named(handler, error):
    with raw_server(handler) as url:
        assert failure_of(url, within=0.5) == error


def test_nobody_listening_is_a_refused_connection():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert failure_of(f"ws://127.0.0.1:{unused.getsockname()[1]}/") == "connection_refused"


def test_plain_text_where_tls_was_due_is_a_tls_error():
    async def plain(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read()

    with raw_server(plain) as url:
        assert failure_of(url.replace("ws://", "wss://")) == "tls_error"


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 1013, 4000, 4999])
def test_a_close_in_the_middle_is_named_by_its_code(code):
    async def handler(websocket):
        await websocket.recv()
        await websocket.close(code)

    with chat_server(handler) as url:
        assert lost_with(url) == f"close_{code}"


def test_a_dropped_socket_is_an_abnormal_close():
    async def handler(websocket):
        await websocket.recv()
        websocket.transport.close()

    with chat_server(handler) as url:
        assert lost_with(url) == "close_1006"


def test_a_reset_is_named():
    async def handler(websocket):
        await websocket.recv()
        sock = websocket.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        websocket.transport.abort()

    with chat_server(handler) as url:
        assert lost_with(url) == "connection_reset"


def test_an_oversized_message_ends_the_connection():
    async def handler(websocket):
        await websocket.recv()
        await websocket.send("x" * (5 * 2**20))

    with chat_server(handler) as url:
        assert lost_with(url) == "close_1009"


def test_invalid_utf8_is_handed_on_to_the_conversation_which_counts_it():
    async def handler(websocket):
        await websocket.recv()
        await websocket.send(b"\xff\xfe", text=True)
        await websocket.wait_closed()

    async def main(url):
        arrived = asyncio.get_running_loop().create_future()
        connection = await _open(url, on_message=arrived.set_result)
        connection.send("hello")
        message = await asyncio.wait_for(arrived, 5)
        await connection.close()
        return message

    with chat_server(handler) as url:
        assert asyncio.run(main(url)) == b"\xff\xfe"


def test_fragments_arrive_as_one_message_and_pings_are_answered():
    async def handler(websocket):
        await websocket.recv()
        await (await websocket.ping())
        await websocket.send(["one ", "two ", "three"])
        await websocket.wait_closed()

    async def main(url):
        arrived = asyncio.get_running_loop().create_future()
        connection = await _open(url, on_message=arrived.set_result)
        connection.send("hello")
        message = await asyncio.wait_for(arrived, 5)
        await connection.close()
        return message

    with chat_server(handler) as url:
        assert asyncio.run(main(url)) == b"one two three"


def test_the_token_travels_in_the_header_and_never_in_a_repr():
    seen = []

    async def handler(websocket):
        seen.append(websocket.request.headers["Authorization"])
        await websocket.wait_closed()

    async def main(url):
        connection = await _open(url, "s3cret")
        await connection.close()

    with chat_server(handler) as url:
        asyncio.run(main(url))
        assert "s3cret" not in repr(Endpoint.of(url, "s3cret"))
    assert seen == ["Bearer s3cret"]


def test_closing_says_goodbye_with_1000():
    codes = []

    async def handler(websocket):
        await websocket.wait_closed()
        codes.append(websocket.close_code)

    async def main(url):
        connection = await _open(url)
        await connection.close()
        assert not connection.is_open

    with chat_server(handler) as url:
        asyncio.run(main(url))
    assert codes == [1000]
