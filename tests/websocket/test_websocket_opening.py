"""How a connection is opened to a server that does what it should."""

import asyncio
import socket
import threading

import pytest
import uvloop
from certificates import Authority
from servers import chat_server, raw_server
from wire import LOOPS, WAIT, arrived, connected

from nightbench.plan.conversation import TlsOptions
from nightbench.websocket.addresses import Addresses
from nightbench.websocket.client import Connection, Endpoint


class Leaving(asyncio.Protocol):
    def connection_made(self, transport):
        transport.abort()


async def echo(websocket):
    async for message in websocket:
        await websocket.send(message)


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
