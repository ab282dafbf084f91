"""A connection to a server that does what it should."""

import asyncio
import gc
import socket
import threading
import tracemalloc

import pytest
import uvloop
from certificates import Authority
from servers import accepting, chat_server, raw_server
from wire import WAIT, arrived, connected, lost_with

from nightbench.plan.conversation import TlsOptions
from nightbench.websocket.addresses import Addresses
from nightbench.websocket.client import Connection, Endpoint

LOOPS = pytest.mark.parametrize("run", [uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])


class Leaving(asyncio.Protocol):
    def connection_made(self, transport):
        transport.abort()


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


def test_the_request_carries_what_was_asked_for():
    seen = []

    async def handler(websocket):
        seen.append(websocket.request)
        await websocket.wait_closed()

    async def main(url):
        headers = (("Authorization", "Bearer s3cret"), ("X-User", "Jürgen"), ("host", "shop.example"))
        connection = await connected(f"{url}?a=b%20c", headers, subprotocols=("chat.v2", "chat.v1"))
        await connection.close()

    with chat_server(handler, subprotocols=["chat.v1"]) as url:
        uvloop.run(main(url))
    (request,) = seen
    assert request.path == "/chat?a=b%20c"
    assert request.headers["Authorization"] == "Bearer s3cret"
    assert request.headers.get_all("Host") == ["shop.example"]
    assert request.headers["X-User"].encode("ascii", "surrogateescape").decode("latin-1") == "Jürgen"
    assert request.headers["Sec-WebSocket-Protocol"] == "chat.v2, chat.v1"
    assert "Sec-WebSocket-Extensions" not in request.headers


@pytest.mark.parametrize(("headers", "expected"), [((), "Basic YTpi"), ((("authorization", "x"),), "x")])
def test_the_user_of_the_url_is_named_unless_a_header_does(headers, expected):
    seen = []

    async def handler(websocket):
        seen.append(websocket.request.headers.get_all("Authorization"))
        await websocket.wait_closed()

    async def main(url):
        connection = await connected(url.replace("ws://", "ws://a:b@"), headers)
        await connection.close()

    with chat_server(handler) as url:
        uvloop.run(main(url))
    assert seen == [[expected]]


def test_no_secret_is_in_a_repr():
    endpoint = Endpoint.of("ws://me:s3cret@127.0.0.1/?token=s3cret")
    assert "s3cret" not in repr(endpoint)


@LOOPS
def test_the_instants_of_opening_are_in_order(run):
    async def main(url):
        connection = await connected(url)
        await connection.close()
        return connection.tcp_at, connection.tls_at, connection.opened_at

    with chat_server(echo) as url:
        tcp_at, tls_at, opened_at = run(main(url))
    assert 0 < tcp_at == tls_at < opened_at


@LOOPS
def test_tls_is_an_instant_of_its_own(run, tmp_path):
    authority = Authority(tmp_path)

    async def main(url):
        connection = await connected(url, tls=TlsOptions(ca_file=str(authority.file)))
        await connection.close()
        return connection.tcp_at, connection.tls_at, connection.opened_at

    with chat_server(echo, ssl=authority.server_context()) as url:
        tcp_at, tls_at, opened_at = run(main(url))
    assert 0 < tcp_at < tls_at < opened_at


@LOOPS
@pytest.mark.parametrize("options", [{"server_name": "chat.example"}, {"verify": False}], ids=str)
def test_a_certificate_of_another_name_will_do_when_asked(options, run, tmp_path):
    authority = Authority(tmp_path)
    tls = TlsOptions(ca_file=str(authority.file), **options)
    with chat_server(echo, ssl=authority.server_context("chat.example")) as url:
        assert arrived(url, tls=tls, run=run) == [(b"hello", False)]


@LOOPS
@pytest.mark.parametrize("separate_key", [True, False])
def test_a_client_certificate_is_shown(separate_key, run, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.certificate("a-client")
    if not separate_key:
        certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
    tls = TlsOptions(
        ca_file=str(authority.file),
        certificate_file=str(certificate),
        key_file=str(key) if separate_key else None,
    )
    with chat_server(echo, ssl=authority.server_context(asks_for_certificate=True)) as url:
        assert arrived(url, tls=tls, run=run) == [(b"hello", False)]


def test_a_loss_within_tls_is_named(tmp_path):
    async def handler(websocket):
        await websocket.recv()
        await websocket.close(1012)

    with chat_server(handler, ssl=Authority(tmp_path).server_context()) as url:
        assert lost_with(url, tls=TlsOptions(verify=False)) == "close_1012"


def test_a_name_is_resolved_once(monkeypatch):
    async def main(url):
        endpoint = Endpoint.of(url.replace("127.0.0.1", "localhost"))
        loop = asyncio.get_running_loop()
        asked, resolve = [], loop.getaddrinfo

        def counting(host, *args, **options):
            asked.append(host)
            return resolve(host, *args, **options)

        monkeypatch.setattr(loop, "getaddrinfo", counting)
        connections = [Connection(endpoint, (), lambda *_: None, lambda _: None) for _ in range(5)]
        await asyncio.gather(*(connection.open(within=5) for connection in connections))
        await asyncio.gather(*(connection.close() for connection in connections))
        return asked

    with chat_server(echo) as url:
        # asyncio asks for the addresses that it is given again, without any name
        assert asyncio.run(main(url)).count("localhost") == 1


def test_the_address_that_answers_is_found_and_tried_first_from_then_on():
    tried = []

    async def main(port):
        addresses = Addresses("nowhere.invalid", port)
        addresses._known = ("127.0.0.2", "127.0.0.1")  # nobody listens at the first
        loop = asyncio.get_running_loop()
        connect = loop.create_connection

        def counting(factory, host, port):
            tried.append(host)
            return connect(factory, host, port)

        loop.create_connection = counting
        for _ in range(2):
            await addresses.connect(Leaving, within=5)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        asyncio.run(main(listening.getsockname()[1]))
    assert tried == ["127.0.0.2", "127.0.0.1", "127.0.0.1"]


@LOOPS
def test_an_address_that_never_answers_leaves_time_for_the_others(run):
    async def main(port):
        addresses = Addresses("nowhere.invalid", port)
        addresses._known = ("127.0.0.2", "127.0.0.1")
        await addresses.connect(Leaving, within=1)
        return addresses._known[0]

    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as full, socket.socket() as one:
        port = listening.getsockname()[1]
        full.bind(("127.0.0.2", port))
        full.listen(0)  # and never accepts: there is room for one, who waits
        one.connect(full.getsockname())
        assert run(main(port)) == "127.0.0.1"


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


@LOOPS
def test_opening_that_is_cancelled_ends_the_connection(run):
    async def main(url):
        opening = asyncio.create_task(connected(url))
        assert await asyncio.to_thread(asked.wait, WAIT)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert await asyncio.to_thread(gone.wait, WAIT)

    asked, gone = threading.Event(), threading.Event()

    async def silent(reader, _writer):
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        try:
            await reader.read()
        finally:
            gone.set()

    with raw_server(silent) as url:
        run(main(url))


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
