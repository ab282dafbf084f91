"""What the wire can do to one open connection, on real sockets: it arrives, or ends in a named class."""

import asyncio

import pytest
from servers import accepting, raw_server, reset_on_close
from wire import LOOPS, WAIT, arrived, connected, lost_with

from nightbench.websocket import client


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
