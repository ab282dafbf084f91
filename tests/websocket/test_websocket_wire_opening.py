"""What can keep one connection from being opened, on real sockets: each ends in a named class."""

import asyncio
import socket
import ssl
import threading
from contextlib import suppress

import pytest
from certificates import EXPIRED, NOT_YET_VALID, Authority
from servers import accepting, raw_server, reset_on_close
from wire import LOOPS, WAIT, connected, failure_of

from nightbench.plan.conversation import TlsOptions
from nightbench.websocket.addresses import Addresses
from nightbench.websocket.client import Connection, ConnectionFailedError


def answering(response, *, then_wait=False):
    async def handler(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        await writer.drain()
        if then_wait:
            await reader.read()

    return handler


def refusing(status):
    return answering(f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n".encode())


def switching(*headers):
    lines = "".join(f"{header}\r\n" for header in headers)
    return answering(f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode(), then_wait=True)


async def silence(reader, _writer):
    await reader.read()


async def hang_up(reader, _writer):
    await reader.readuntil(b"\r\n\r\n")


async def reset(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    reset_on_close(writer)


async def reset_at_once(_reader, writer):
    reset_on_close(writer)


async def endless_headers(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\n")
    while True:
        writer.write(b"X-More: and more\r\n" * 100)
        await writer.drain()


UPGRADE, CONNECTION = "Upgrade: websocket", "Connection: Upgrade"
NOT_OPENED = {
    "a reset before the request": (reset_at_once, "handshake_reset"),
    "a reset instead of a response": (reset, "handshake_reset"),
    "hanging up": (hang_up, "handshake_closed"),
    "half a response": (answering(b"HTTP/1.1 101 Switching"), "handshake_closed"),
    "no response": (silence, "connect_timeout"),
    "a response that never ends": (answering(b"HTTP/1.1 101 Sw", then_wait=True), "connect_timeout"),
    "headers without end": (endless_headers, "handshake_invalid"),
    "another protocol": (answering(b"SSH-2.0-OpenSSH_9.2\r\n", then_wait=True), "handshake_invalid"),
    "bytes without a line": (answering(b"\x00\x01\x02", then_wait=True), "handshake_invalid"),
    "a line without an end": (answering(b"HTTP/1." + b"1" * 9000, then_wait=True), "handshake_invalid"),
    **{
        f"status {status}": (refusing(status), f"handshake_{status}")
        for status in (200, 301, 302, 400, 401, 403, 404, 429, 500, 502, 503)
    },
    "a refusal whose body never ends": (
        answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\n", then_wait=True),
        "handshake_503",
    ),
    "a refusal by HTTP/1.0": (answering(b"HTTP/1.0 503 Busy\r\n\r\n"), "handshake_503"),
    "an upgrade by HTTP/1.0": (answering(b"HTTP/1.0 101 Yes\r\n\r\n", then_wait=True), "handshake_invalid"),
    "no accept value": (switching(UPGRADE, CONNECTION), "handshake_invalid"),
    "a wrong accept value": (
        switching(UPGRADE, CONNECTION, "Sec-WebSocket-Accept: bm90IHRoZSBrZXk="),
        "handshake_invalid",
    ),
    "no upgrade": (switching(CONNECTION), "handshake_invalid"),
    "an upgrade to something else": (switching("Upgrade: h2c", CONNECTION), "handshake_invalid"),
    "a header without a colon": (accepting(b"", headers="nonsense\r\n"), "handshake_invalid"),
    "an extension nobody asked for": (
        accepting(b"", headers="Sec-WebSocket-Extensions: permessage-deflate\r\n"),
        "handshake_invalid",
    ),
    "a subprotocol nobody asked for": (
        accepting(b"", headers="Sec-WebSocket-Protocol: chat.v1\r\n"),
        "handshake_subprotocol",
    ),
}


@LOOPS
@pytest.mark.parametrize(("behaviour", "error"), NOT_OPENED.values(), ids=NOT_OPENED)
def test_a_handshake_that_fails_is_named(behaviour, error, run):
    within = 0.3 if error == "connect_timeout" else 5
    with raw_server(behaviour) as url:
        assert failure_of(url, within=within, run=run) == error


@LOOPS
def test_nobody_listening_is_a_refused_connection(run):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert failure_of(f"ws://127.0.0.1:{unused.getsockname()[1]}/", run=run) == "connection_refused"


@pytest.mark.parametrize("headers", ["", "Sec-WebSocket-Protocol: chat.v2\r\n"], ids=["none", "another"])
def test_a_subprotocol_that_was_not_taken_is_named(headers):
    with raw_server(accepting(b"", headers=headers)) as url:
        assert failure_of(url, subprotocols=("chat.v1", "chat.v0")) == "handshake_subprotocol"


async def _plain(reader, writer):
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()
    await reader.read()


async def _reset_within_tls(reader, writer):
    await reader.read(1)
    reset_on_close(writer)


async def _hang_up_within_tls(reader, _writer):
    await reader.read(1000)


@LOOPS
@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (_plain, "tls_error"),
        (silence, "connect_timeout"),
        (reset_at_once, "handshake_reset"),
        (_reset_within_tls, "handshake_reset"),
        (_hang_up_within_tls, "handshake_reset"),
    ],
)
def test_a_tls_handshake_that_fails_is_named(behaviour, error, run):
    with raw_server(behaviour) as url:
        within = 0.3 if error == "connect_timeout" else 5
        assert failure_of(url.replace("ws://", "wss://"), within=within, run=run) == error


@LOOPS
def test_a_reset_before_tls_has_begun_is_no_error_of_ours(run, monkeypatch):
    connect, made, is_connected, complaints = Addresses.connect, [], threading.Event(), []

    class Noting(Connection):
        def connection_made(self, transport):
            super().connection_made(transport)
            made.append(transport)

    async def connect_and_be_reset(*arguments, **options):
        await connect(*arguments, **options)
        is_connected.set()
        while not made[0].is_closing():  # noqa: ASYNC110  # no event tells it: the loss comes later
            await asyncio.sleep(0)

    async def reset_then(_reader, writer):
        await asyncio.to_thread(is_connected.wait, WAIT)
        reset_on_close(writer)

    async def main(url):
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
        with pytest.raises(ConnectionFailedError, match="handshake_reset"):
            await connected(url, of=Noting)

    monkeypatch.setattr(Addresses, "connect", connect_and_be_reset)
    with raw_server(reset_then) as url:
        run(main(url.replace("ws://", "wss://")))
    assert complaints == []


@LOOPS
@pytest.mark.parametrize(
    ("certificate", "error"),
    [
        ({"valid": EXPIRED}, "tls_certificate_expired"),
        ({"valid": NOT_YET_VALID}, "tls_certificate_not_yet_valid"),
        ({"host": "127.0.0.2"}, "tls_wrong_host"),
        ({"host": "example.test"}, "tls_wrong_host"),
    ],
)
def test_a_certificate_that_will_not_do_is_named(certificate, error, run, tmp_path):
    authority = Authority(tmp_path)
    with raw_server(accepting(b""), tls=authority.server_context(**certificate)) as url:
        assert failure_of(url, tls=TlsOptions(ca_file=str(authority.file)), run=run) == error


@LOOPS
def test_a_certificate_that_nobody_vouches_for_is_named(run, tmp_path):
    with raw_server(accepting(b""), tls=Authority(tmp_path).server_context()) as url:
        other = Authority(tmp_path, "another-authority")
        assert failure_of(url, tls=TlsOptions(ca_file=str(other.file)), run=run) == "tls_untrusted"
        assert failure_of(url, run=run) == "tls_untrusted"


def test_a_client_certificate_that_is_missed_is_a_tls_error(tmp_path):
    context = Authority(tmp_path).server_context(asks_for_certificate=True)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse():
            accepted, _ = listening.accept()
            with accepted, suppress(ssl.SSLError):
                context.wrap_socket(accepted, server_side=True)  # says so, where asyncio only hangs up

        server = threading.Thread(target=refuse)
        server.start()
        url = f"wss://127.0.0.1:{listening.getsockname()[1]}/"
        assert failure_of(url, tls=TlsOptions(verify=False)) == "tls_error"
        server.join()
