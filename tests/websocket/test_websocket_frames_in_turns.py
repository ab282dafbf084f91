"""A flood is read a little at a time, and means the same as read at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_websocket_frames import all_of, as_websockets_reads, conversations, pieces_of
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import OP_CONT, OP_TEXT, Frame

from nightbench.websocket.deflate import Deflate
from nightbench.websocket.frames import LONG_BYTES, STEP_BYTES, FrameReader

LONG = b"x" * (LONG_BYTES + 1)


def extension():
    return PerMessageDeflate(True, True, 15, 15)


def on_the_wire(*frames, compressed=False):
    extensions = [extension()] if compressed else []
    return b"".join(frame.serialize(mask=False, extensions=extensions) for frame in frames)


def in_turns(reader, data=b""):
    """How many messages each turn brings."""
    brought = [len(reader.feed(data))]
    while reader.is_behind:
        brought.append(len(reader.feed()))
    return brought


@given(
    st.lists(conversations(), min_size=1, max_size=4),
    st.lists(st.integers(min_value=0), max_size=8),
    st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=8),
)
def test_what_comes_while_it_is_behind_is_read_after_what_waits(conversation, cuts, turns):
    frames = [frame for part in conversation for frame in part]
    data = b"".join(frame.serialize(mask=False) for frame in frames)
    reader, messages = FrameReader(), []
    for number, piece in enumerate(pieces_of(data, cuts)):
        messages += reader.feed(piece)
        for _ in range(turns[number % len(turns)]):
            messages += reader.feed()
    messages += all_of(reader, b"")
    assert (messages, reader.ping, reader.end and reader.end.code) == as_websockets_reads(data)


@pytest.mark.parametrize("size", [0, 1, 60, 125, 126, 1000])
def test_of_many_messages_only_some_are_read_in_a_turn(size):
    frame = Frame(OP_TEXT, b"x" * size)
    brought = in_turns(FrameReader(), on_the_wire(*[frame] * 10_000))
    assert sum(brought) == 10_000
    assert max(brought) <= STEP_BYTES // len(on_the_wire(frame)) + 1


@pytest.mark.parametrize("frame", [b"\x89\x00", b"\x8a\x00", b"\x00\x00"], ids=["ping", "pong", "fragment"])
def test_of_frames_that_are_no_message_only_some_are_read_in_a_turn(frame):
    reader = FrameReader()
    reader.feed(b"\x01\x02be")
    assert len(in_turns(reader, frame * 100_000)) > 10


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "message",
    [
        [Frame(OP_TEXT, LONG)],
        [Frame(OP_TEXT, LONG, fin=False), Frame(OP_CONT, b"")],
        [Frame(OP_TEXT, LONG[:50_000], fin=False), Frame(OP_CONT, LONG[50_000:])],
    ],
    ids=["whole", "fragments", "short fragments"],
)
def test_a_long_message_is_enough_for_a_turn(message, compressed):
    data = on_the_wire(*message * 5, compressed=compressed)
    reader = FrameReader(Deflate(extension()) if compressed else None)
    assert max(in_turns(reader, data)) == 1


def test_who_brought_a_long_message_lets_others_come_first_even_when_no_more_waits():
    reader = FrameReader()
    assert in_turns(reader, on_the_wire(Frame(OP_TEXT, LONG))) == [1, 0]


def test_a_message_that_is_neither_long_nor_beside_many_others_is_read_at_once():
    reader = FrameReader()
    assert in_turns(reader, on_the_wire(Frame(OP_TEXT, b"x" * 50_000))) == [1]
    assert not reader.has_news


def test_nothing_waits_behind_a_close_or_a_violation():
    for last in (b"\x88\x00", b"\x83\x00"):
        reader = FrameReader()
        assert sum(in_turns(reader, b"\x81\x01a" * 10_000 + last + b"\x81\x01b" * 10_000)) == 10_000
        assert not reader.is_behind
        assert reader.end is not None
        assert list(reader.feed(b"\x81\x02no")) == []


def test_what_had_come_before_is_read_by_the_first_turn():
    reader = FrameReader(behind=b"\x81\x01a\x81")
    assert reader.is_behind
    assert list(reader.feed(b"\x01b")) == [(b"a", False), (b"b", False)]
    assert not reader.is_behind
