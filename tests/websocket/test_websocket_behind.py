"""A connection that is sent more than it can read at once: what waits is read in order, and nobody waits for it."""

import asyncio
import re

import pytest
from certificates import Authority
from servers import accepting, raw_server, reset_on_close
from websockets.utils import accept_key
from wire import LOOPS, WAIT, connected

from nightbench.plan.conversation import TlsOptions
from nightbench.websocket.addresses import Addresses
from nightbench.websocket.client import Connection, Endpoint
from nightbench.websocket.frames import STEP_BYTES, FrameReader

MANY = 30_000


def frame(payload):
    return bytes((0x81, len(payload))) + payload


def numbered(count=MANY):
    return [b"%d" % number for number in range(count)]


BURST = b"".join(map(frame, numbered()))


class Wire(asyncio.Transport):
    """A transport that only remembers what it was asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []
        self.written = b""

    def pause_reading(self):
        self.asked.append("pause")

    def resume_reading(self):
        self.asked.append("resume")

    def close(self):
        self.asked.append("close")

    def abort(self):
        self.asked.append("abort")

    def is_closing(self):
        return "close" in self.asked or "abort" in self.asked

    def write(self, data):
        self.asked.append(data[:1])
        self.written += data


def on_a_wire(log, *, endpoint=None):
    """An open connection on a `Wire`, which logs what it gets."""
    endpoint = endpoint or Endpoint.of("ws://127.0.0.1/")
    connection = Connection(endpoint, (), lambda payload, _binary: log.append(payload), log.append)
    connection._transport = Wire()
    connection._reader = FrameReader()
    connection.is_open = True
    return connection


async def until(condition):
    async with asyncio.timeout(WAIT):
        while not condition():  # noqa: ASYNC110  # turn by turn
            await asyncio.sleep(0)


def test_reading_pauses_until_all_that_came_is_read():
    async def main():
        log = []
        connection = on_a_wire(log)
        connection.data_received(BURST)
        wire = connection._transport
        assert wire.asked == ["pause"]
        assert 0 < len(log) < STEP_BYTES
        await until(lambda: "resume" in wire.asked)
        assert wire.asked == ["pause", "resume"]
        return log

    assert asyncio.run(main()) == numbered()


def test_a_burst_of_one_keeps_no_other_from_reading():
    async def main():
        log = []
        endpoint = Endpoint.of("ws://127.0.0.1/")
        flooded, other = on_a_wire(log, endpoint=endpoint), on_a_wire(log, endpoint=endpoint)
        flooded.data_received(BURST)
        other.data_received(frame(b"hello"))
        await until(lambda: len(log) == MANY + 1)
        return log.index(b"hello")

    assert asyncio.run(main()) < STEP_BYTES


@pytest.mark.parametrize("end", ["eof", "lost"])
def test_a_loss_is_told_after_all_that_came_before_it(end):
    async def main():
        log = []
        connection = on_a_wire(log)
        connection.data_received(BURST)
        if end == "eof":
            connection.eof_received()
        connection.connection_lost(ConnectionResetError())
        assert connection.is_open
        connection.send(b"into the void")
        await until(lambda: not connection.is_open)
        return log

    expected = "close_1006" if end == "eof" else "connection_reset"
    assert asyncio.run(main()) == [*numbered(), expected]


def test_a_close_frame_among_what_waits_is_the_loss_and_nothing_comes_after_it():
    async def main():
        log = []
        connection = on_a_wire(log)
        wire = connection._transport
        connection.data_received(BURST + b"\x88\x02\x03\xf3" + BURST)
        connection.connection_lost(None)
        await until(lambda: not connection.is_open)
        connection.data_received(BURST)
        assert wire.asked[0] == "pause"
        return log

    assert asyncio.run(main()) == [*numbered(), "close_1011"]


@pytest.mark.parametrize("lost", [False, True])
def test_who_is_closed_while_it_is_behind_reads_no_more(lost, monkeypatch):
    fed = []

    async def main():
        log = []
        connection = on_a_wire(log)
        wire = connection._transport
        closing = asyncio.create_task(connection.close())  # which begins before the next turn
        connection.data_received(BURST)
        if lost:
            connection.connection_lost(None)
        before = list(log)
        await asyncio.sleep(0)
        feed = FrameReader.feed
        monkeypatch.setattr(FrameReader, "feed", lambda self, *data: fed.append(data) or feed(self, *data))
        connection.data_received(BURST)
        if not lost:
            assert wire.asked == ["pause", "resume", b"\x88"]  # its end is to be noticed
            connection.connection_lost(None)
        async with asyncio.timeout(WAIT):
            await closing
        for _ in range(100):
            await asyncio.sleep(0)
        assert log == before

    asyncio.run(main())
    assert fed == []


def test_who_has_lost_its_connection_reads_no_more(monkeypatch):
    async def main():
        log = []
        connection = on_a_wire(log)
        connection.data_received(b"\x83\x00")
        monkeypatch.setattr(FrameReader, "feed", None)
        connection.data_received(BURST)
        assert log == ["close_1002"]

    asyncio.run(main())


def test_what_comes_before_it_is_open_waits_in_the_socket(monkeypatch):
    async def main():
        log = []
        wire, endpoint = Wire(), Endpoint.of("ws://127.0.0.1/")
        connection = Connection(endpoint, (), lambda payload, _binary: log.append(payload), log.append)

        async def connect(_self, _factory, *, within):
            connection.connection_made(wire)
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", wire.written)[1].decode()
            connection.data_received(
                b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n" + BURST[:1]
            )
            assert wire.asked[-1] == "pause"
            connection.data_received(BURST[1:])

        monkeypatch.setattr(Addresses, "connect", connect)
        await connection.open(within=WAIT)
        assert log == []
        assert "resume" not in wire.asked
        await until(lambda: "resume" in wire.asked)
        return log

    assert asyncio.run(main()) == numbered()


def collected(url, run, **options):
    """What comes from when it is open until it is lost: the messages, and the class of the loss."""

    async def main():
        log = []
        connection = await connected(
            url, on_message=lambda payload, _binary: log.append(payload), on_lost=log.append, **options
        )
        assert log == []
        connection.send(b"hello")
        await until(lambda: not connection.is_open)
        return log

    return run(main())


def bursting(*, reset):
    """Sends a burst as soon as it may, and ends without a close, as soon as all of it was sent."""

    async def behave(reader, writer):
        for start in range(0, len(BURST), 10_000):
            writer.write(BURST[start : start + 10_000])
        await writer.drain()
        await reader.readexactly(2 + 4 + 5)
        if reset:
            reset_on_close(writer)

    return accepting(behave)


@LOOPS
def test_a_burst_right_behind_the_handshake_arrives_in_order_after_open_has_returned(run):
    with raw_server(bursting(reset=False)) as url:
        assert collected(url, run) == [*numbered(), "close_1006"]


@LOOPS
def test_a_burst_within_tls_arrives_in_order(run, tmp_path):
    with raw_server(bursting(reset=False), tls=Authority(tmp_path).server_context()) as url:
        assert collected(url, run, tls=TlsOptions(verify=False)) == [*numbered(), "close_1006"]


@LOOPS
def test_of_a_burst_that_ends_in_a_reset_all_that_arrived_is_in_order(run):
    with raw_server(bursting(reset=True)) as url:
        *messages, error = collected(url, run)
    assert messages == numbered()[: len(messages)]
    assert error == "connection_reset"
