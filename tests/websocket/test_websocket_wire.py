"""What the wire can do to one connection, on real sockets: each ends in a named class."""

import asyncio
import queue
import socket
import ssl
import threading
from contextlib import suppress

import pytest
import uvloop
from certificates import EXPIRED, NOT_YET_VALID, Authority
from servers import accepting, raw_server, reset_on_close
from wire import WAIT, arrived, connected, failure_of, lost_with

from nightbench.plan.conversation import TlsOptions
from nightbench.websocket import client
from nightbench.websocket.client import CLOSE_SECONDS, Connection

LOOPS = pytest.mark.parametrize("run", [uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])


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


def saying(data):
    """Sends this when it is spoken to."""

    async def behave(reader, writer):
        await reader.read(1)
        writer.write(data)
        await reader.read()

    return accepting(behave)


def close_frame(code):
    return b"\x88\x02" + code.to_bytes(2, "big")


async def _end(reader, _writer):
    await reader.read(1)


async def _half_a_frame(reader, writer):
    await reader.read(1)
    writer.write(b"\x81\x20not all of it")


async def _half_a_message(reader, writer):
    await reader.read(1)
    writer.write(b"\x01\x05hello")


async def _reset_later(reader, writer):
    await reader.read(1)
    reset_on_close(writer)


OVERSIZED = (5 * 2**20).to_bytes(8, "big")
LOST = {
    **{
        f"close {code}": (saying(close_frame(code)), f"close_{code}")
        for code in (1000, 1001, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014, 3000, 4000, 4999)
    },
    "a close without a code": (saying(b"\x88\x00"), "close_1005"),
    "a close with a reason": (saying(b"\x88\x05\x03\xf3why"), "close_1011"),
    "a close within a message": (saying(b"\x01\x02be" + close_frame(1011)), "close_1011"),
    "a close right behind the handshake": (accepting(close_frame(1008)), "close_1008"),
    "an end without a close": (accepting(_end), "close_1006"),
    "an end within a frame": (accepting(_half_a_frame), "close_1006"),
    "an end within a message": (accepting(_half_a_message), "close_1006"),
    "a reset": (accepting(_reset_later), "connection_reset"),
    "a close code that nobody may send": (saying(close_frame(1006)), "close_1002"),
    "a close reason that is no UTF-8": (saying(b"\x88\x04\x03\xe8\xff\xfe"), "close_1007"),
    "reserved bits": (saying(b"\xc1\x02ok"), "close_1002"),
    "an unknown opcode": (saying(b"\x83\x02ok"), "close_1002"),
    "a masked frame": (saying(b"\x81\x82abcdok"), "close_1002"),
    "a ping in fragments": (saying(b"\x09\x02ok"), "close_1002"),
    "a ping that is too long": (saying(b"\x89\x7e\x00\x7e" + b"x" * 126), "close_1002"),
    "a continuation of nothing": (saying(b"\x80\x02ok"), "close_1002"),
    "a message within a message": (saying(b"\x01\x02ok\x81\x02no"), "close_1002"),
    "a message that is too long": (saying(b"\x82\x7f" + OVERSIZED + b"x" * 5 * 2**20), "close_1009"),
    "the announcement of a message that is too long": (saying(b"\x82\x7f" + OVERSIZED), "close_1009"),
    "fragments that are too long together": (
        saying(b"\x02\x7f" + (2**20).to_bytes(8, "big") + b"x" * 2**20
               + (b"\x00\x7f" + (2**20).to_bytes(8, "big") + b"x" * 2**20) * 4),
        "close_1009",
    ),
}  # fmt: skip


@LOOPS
@pytest.mark.parametrize(("behaviour", "error"), LOST.values(), ids=LOST)
def test_a_loss_is_named(behaviour, error, run):
    with raw_server(behaviour) as url:
        assert lost_with(url, run=run) == error


LONG = b"x" * (4 * 2**20)
ARRIVES = {
    "text": (b"\x81\x05hello", [(b"hello", False)]),
    "binary where text was due": (b"\x82\x05hello", [(b"hello", True)]),
    "invalid UTF-8, which the conversation counts": (b"\x81\x02\xff\xfe", [(b"\xff\xfe", False)]),
    "an empty message": (b"\x81\x00", [(b"", False)]),
    "fragments": (b"\x01\x04one \x00\x04two \x80\x05three", [(b"one two three", False)]),
    "fragments around a ping": (b"\x02\x04one \x89\x00\x80\x03two", [(b"one two", True)]),
    "several in one packet": (b"\x81\x01a\x82\x01b\x81\x01c", [(b"a", False), (b"b", True), (b"c", False)]),
    "one between pings and pongs": (b"\x89\x00\x8a\x00\x81\x01a\x89\x01p", [(b"a", False)]),
    "300 bytes": (b"\x81\x7e\x01\x2c" + LONG[:300], [(LONG[:300], False)]),
    "4 MiB": (b"\x82\x7f" + len(LONG).to_bytes(8, "big") + LONG, [(LONG, True)]),
}


@LOOPS
@pytest.mark.parametrize(("data", "messages"), ARRIVES.values(), ids=ARRIVES)
def test_what_arrives(data, messages, run, monkeypatch):
    monkeypatch.setattr(client, "CLOSE_SECONDS", 0.05)  # that the server answers no close is not the point
    with raw_server(saying(data)) as url:
        assert arrived(url, count=len(messages), run=run) == messages


@LOOPS
def test_a_message_right_behind_the_handshake_arrives_after_open_has_returned(run):
    async def main(url):
        opened, message = False, asyncio.get_running_loop().create_future()
        connection = await connected(
            url, on_message=lambda payload, _binary: message.set_result((opened, payload))
        )
        opened = True
        assert await asyncio.wait_for(message, WAIT) == (True, b"welcome")
        await connection.close()

    with raw_server(accepting(b"\x81\x07welcome")) as url:
        run(main(url))


def test_pings_by_the_thousand_are_answered_by_the_last_of_each_packet():
    answered = []

    async def behave(reader, writer):
        await reader.read(1)
        writer.write(b"\x89\x01a" * 10_000 + b"\x89\x01z" + b"\x81\x04done")
        while data := await reader.read(2**16):
            answered.append(data)

    with raw_server(accepting(behave)) as url:
        assert arrived(url) == [(b"done", False)]
    pongs = b"".join(answered).count(b"\x8a\x81")  # a pong of one masked byte
    assert 1 <= pongs < 1000


def test_a_ping_is_answered_once():
    received = []

    async def behave(reader, writer):
        writer.write(b"\x89\x04ping")
        received.append(await reader.readexactly(2 + 4 + 5))  # hello
        received.append(await reader.readexactly(2 + 4 + 4))  # the pong
        writer.write(b"\x81\x04more")
        await asyncio.sleep(0.05)
        writer.write(close_frame(1000))
        received.append(await reader.readexactly(2))

    with raw_server(accepting(behave)) as url:
        assert lost_with(url) == "close_1000"
    assert sorted(data[0] for data in received) == [0x81, 0x88, 0x8A]


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
