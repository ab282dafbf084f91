"""The frame codec, beside websockets' own: any frames, in pieces of any size, mean the same to both."""

import itertools
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import OP_BINARY, OP_CLOSE, OP_CONT, OP_PING, OP_PONG, OP_TEXT, Close, Frame
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from nightbench.websocket.deflate import Deflate
from nightbench.websocket.frames import (
    BINARY,
    CLOSE,
    PONG,
    TEXT,
    FrameReader,
    masked_frame,
    masking_keys,
)

PAYLOADS = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([0, 125, 126, 127, 65_535, 65_536, 70_000]).map(lambda size: b"x" * size),
)
CONTROLS = st.lists(
    st.builds(Frame, st.sampled_from([OP_PING, OP_PONG]), st.binary(max_size=125)), max_size=2
)
CLOSINGS = st.none() | st.builds(Close, st.sampled_from([1000, 1001, 1011, 3000, 4999]), st.text(max_size=20))


@st.composite
def frames_of_a_message(draw):
    pieces = draw(st.lists(PAYLOADS, min_size=1, max_size=4))
    opcodes = [draw(st.sampled_from([OP_TEXT, OP_BINARY])), *[OP_CONT] * (len(pieces) - 1)]
    frames = []
    for number, (opcode, piece) in enumerate(zip(opcodes, pieces, strict=True), 1):
        frames += [*draw(CONTROLS), Frame(opcode, piece, fin=number == len(pieces))]
    return frames


@st.composite
def conversations(draw):
    """Frames of a server that keeps to the protocol."""
    frames = list(itertools.chain(*draw(st.lists(frames_of_a_message(), max_size=5))))
    closing = draw(CLOSINGS)
    return frames if closing is None else [*frames, Frame(OP_CLOSE, closing.serialize())]


def pieces_of(data, cuts):
    """`data`, cut at these places."""
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:stop] for start, stop in itertools.pairwise(places)]


def as_websockets_reads(data, extension=None):
    """The messages of `data`, the last ping and the close code, in the eyes of websockets."""
    protocol = ClientProtocol(parse_uri("ws://x/"), state=OPEN, max_size=4 * 2**20)
    protocol.extensions = [extension] if extension else []
    protocol.receive_data(data)
    messages, whole, ping = [], None, None
    for frame in protocol.events_received():
        if frame.opcode is OP_PING:
            ping = bytes(frame.data)
        if frame.opcode not in (OP_TEXT, OP_BINARY, OP_CONT):
            continue
        if frame.opcode is not OP_CONT:
            whole = (b"", frame.opcode is OP_BINARY)
        whole = (whole[0] + frame.data, whole[1])
        if frame.fin:
            messages.append(whole)
    sent = protocol.close_sent
    return messages, ping, sent and sent.code


def all_of(reader, data):
    """The messages of `data`, read to its end, in order."""
    messages = list(reader.feed(data))
    while reader.is_behind:
        messages += reader.feed()
    return messages


def as_we_read(pieces, reader=None):
    reader = reader or FrameReader()
    messages = [message for piece in pieces for message in all_of(reader, piece)]
    return messages, reader.ping, reader.end and reader.end.code


@given(conversations(), st.lists(st.integers(min_value=0), max_size=20))
def test_frames_mean_the_same_to_websockets_however_they_are_cut(frames, cuts):
    data = b"".join(frame.serialize(mask=False) for frame in frames)
    assert as_we_read(pieces_of(data, cuts)) == as_websockets_reads(data)


@given(frames_of_a_message())
def test_frames_may_arrive_byte_by_byte(frames):
    data = b"".join(frame.serialize(mask=False) for frame in frames)
    if len(data) < 5000:
        assert as_we_read([bytes((byte,)) for byte in data]) == as_websockets_reads(data)


@given(st.binary(max_size=400), st.lists(st.integers(min_value=0), max_size=10))
def test_no_bytes_confuse_the_reader_and_cuts_change_nothing(data, cuts):
    assert as_we_read(pieces_of(data, cuts)) == as_we_read([data])


@given(conversations(), st.lists(st.integers(min_value=0), max_size=20))
def test_compressed_frames_mean_the_same_to_websockets(frames, cuts):
    def extension():
        return PerMessageDeflate(False, False, 15, 15)

    sender = extension()
    data = b"".join(frame.serialize(mask=False, extensions=[sender]) for frame in frames)
    reader = FrameReader(Deflate(extension()))
    assert as_we_read(pieces_of(data, cuts), reader) == as_websockets_reads(data, extension())


@given(st.sampled_from([TEXT, BINARY]), PAYLOADS)
def test_a_server_reads_what_was_masked(first, payload):
    server = ServerProtocol(state=OPEN, max_size=None)
    server.receive_data(masked_frame(first, payload, next(masking_keys())))
    (frame,) = server.events_received()
    assert (frame.opcode, bytes(frame.data), frame.fin) == (first & 0xF, payload, True)


@pytest.mark.parametrize(("first", "opcode"), [(PONG, OP_PONG), (CLOSE, OP_CLOSE)])
def test_a_server_reads_control_frames(first, opcode):
    server = ServerProtocol(state=OPEN)
    server.receive_data(masked_frame(first, b"\x03\xe8", next(masking_keys())))
    assert server.events_received() == [Frame(opcode, b"\x03\xe8")]


@given(st.lists(st.tuples(PAYLOADS, st.booleans()), max_size=5))
def test_a_server_reads_what_was_compressed(messages):
    server = ServerProtocol(state=OPEN, max_size=None)
    server.extensions = [PerMessageDeflate(False, False, 15, 15)]
    ours = Deflate(PerMessageDeflate(False, False, 15, 15))
    for payload, binary in messages:
        first, compressed = ours.encode(payload, binary=binary)
        server.receive_data(masked_frame(first, compressed, next(masking_keys())))
        (frame,) = server.events_received()
        assert (frame.opcode is OP_BINARY, bytes(frame.data)) == (binary, payload)


def test_no_masking_key_comes_twice_in_a_row():
    keys = list(itertools.islice(masking_keys(), 5000))
    assert len(set(keys)) > 4990
    assert {len(key) for key in keys} == {4}


VIOLATIONS = {
    "RSV1 without compression": (b"\xc1\x00", 1002),
    "RSV2": (b"\xa1\x00", 1002),
    "RSV3": (b"\x91\x00", 1002),
    "RSV1 of a ping": (b"\xc9\x00", 1002),
    "a masked frame": (b"\x81\x80abcd", 1002),
    "a masked frame with a long size": (b"\x81\xfe\x00\xff", 1002),
    "opcode 3": (b"\x83\x00", 1002),
    "opcode 7": (b"\x87\x00", 1002),
    "opcode 11": (b"\x8b\x00", 1002),
    "a ping in fragments": (b"\x09\x00", 1002),
    "a close in fragments": (b"\x08\x02\x03\xe8", 1002),
    "a ping of 126 bytes": (b"\x89\x7e\x00\x7e", 1002),
    "a close of 64 KiB": (b"\x88\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 1002),
    "a continuation of nothing": (b"\x80\x01x", 1002),
    "the beginning of a continuation of nothing": (b"\x00\x01x", 1002),
    "a message within a message": (b"\x01\x01x\x81\x01y", 1002),
    "5 bytes whose length has 2": (b"\x81\x7e\x00\x05hello", 1002),
    "5 bytes whose length has 8": (b"\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x05hello", 1002),
    "a length of 64 bits": (b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 1002),
    "a close of one byte": (b"\x88\x01\x03", 1002),
    "close 999": (b"\x88\x02\x03\xe7", 1002),
    "close 1004": (b"\x88\x02\x03\xec", 1002),
    "close 1005": (b"\x88\x02\x03\xed", 1002),
    "close 1006": (b"\x88\x02\x03\xee", 1002),
    "close 1015": (b"\x88\x02\x03\xf7", 1002),
    "close 1016": (b"\x88\x02\x03\xf8", 1002),
    "close 5000": (b"\x88\x02\x13\x88", 1002),
    "a close reason that is no UTF-8": (b"\x88\x04\x03\xe8\xff\xfe", 1007),
    "a message that is too long": (b"\x82\x7e\x04\x01", 1009),
    "a message of 2 GiB": (b"\x82\x7f\x00\x00\x00\x00\x80\x00\x00\x00", 1009),
    "fragments that are too long together": (b"\x02\x7e\x04\x00" + b"x" * 1024 + b"\x80\x01", 1009),
}


@pytest.mark.parametrize(("data", "code"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_a_violation_ends_it_with_a_code_as_soon_as_it_can_be_seen(data, code):
    reader = FrameReader(max_size=1024)
    before = reader.feed(b"\x81\x02ok" + data)
    assert list(before) == [(b"ok", False)]
    assert reader.end is not None
    assert (reader.end.code, Close.parse(reader.end.answer).code) == (code, code)
    assert list(reader.feed(b"\x81\x02no")) == []


def test_a_message_may_be_as_long_as_allowed():
    reader = FrameReader(max_size=1024)
    assert [len(payload) for payload, _ in reader.feed(b"\x82\x7e\x04\x00" + b"x" * 1024)] == [1024]
    fragments = reader.feed(b"\x02\x7e\x02\x00" + b"x" * 512 + b"\x80\x7e\x02\x00" + b"x" * 512)
    assert [len(payload) for payload, _ in fragments] == [1024]


def test_a_close_in_the_middle_of_a_message_keeps_its_code():
    reader = FrameReader()
    assert list(reader.feed(b"\x01\x02be\x88\x02\x03\xf3")) == []
    assert reader.end.code == 1011


def test_a_close_without_a_code_is_1005_and_answered_with_none():
    reader = FrameReader()
    reader.feed(b"\x88\x00")
    assert (reader.end.code, reader.end.answer) == (1005, b"")


def test_nothing_is_read_after_a_close():
    reader = FrameReader()
    assert list(reader.feed(b"\x81\x02ok\x88\x00\x81\x02no\x88\x02\x03\xe8")) == [(b"ok", False)]
    assert reader.end.code == 1005


def test_of_pings_by_the_thousand_only_the_last_is_kept():
    reader = FrameReader()
    assert all_of(reader, b"\x89\x01a" * 10_000 + b"\x89\x01z") == []
    assert reader.ping == b"z"


def test_a_message_that_never_ends_in_empty_fragments_takes_no_memory():
    reader = FrameReader()
    reader.feed(b"\x01\x02be")
    before = sys.getsizeof(reader._message)
    for _ in range(100):
        all_of(reader, b"\x00\x00" * 5000)
    assert sys.getsizeof(reader._message) == before


@pytest.mark.parametrize(
    "sizes", [[100_000], [1023, 100_000], [1024, 100_000], [1024, 1], [500, 500, 25]], ids=str
)
def test_compressed_bytes_that_expand_without_end_are_too_long(sizes):
    sender = PerMessageDeflate(False, False, 15, 15)
    pieces = [b"x" * size for size in sizes]
    frames = [
        Frame(OP_CONT if number else OP_TEXT, piece, fin=number == len(pieces) - 1)
        for number, piece in enumerate(pieces)
    ]
    data = b"".join(frame.serialize(mask=False, extensions=[sender]) for frame in frames)
    assert len(data) < 1024
    reader = FrameReader(Deflate(PerMessageDeflate(False, False, 15, 15)), max_size=1024)
    assert list(reader.feed(data)) == []
    assert reader.end.code == 1009


def test_what_the_decompression_held_back_counts_too():
    sender = PerMessageDeflate(False, False, 15, 15)
    first = Frame(OP_TEXT, b"x" * 1025, fin=False).serialize(mask=False, extensions=[sender])
    reader = FrameReader(Deflate(PerMessageDeflate(False, False, 15, 15)), max_size=1024)
    assert list(reader.feed(first + b"\x80\x00")) == []
    assert reader.end.code == 1009


def test_compressed_bytes_are_not_expanded_beyond_what_is_allowed():
    sender = PerMessageDeflate(False, False, 15, 15)
    data = Frame(OP_BINARY, bytes(64 * 2**20)).serialize(mask=False, extensions=[sender])
    reader = FrameReader(Deflate(PerMessageDeflate(False, False, 15, 15)), max_size=2**20)
    tracemalloc.start()
    reader.feed(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reader.end.code == 1009
    assert most < 8 * 2**20


def test_bytes_that_are_not_compressed_but_say_so_are_a_violation():
    reader = FrameReader(Deflate(PerMessageDeflate(False, False, 15, 15)))
    assert list(reader.feed(b"\xc1\x04\xff\xff\xff\xff")) == []
    assert reader.end.code == 1002
