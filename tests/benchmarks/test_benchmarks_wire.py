"""The benchmarks' own server speaks the protocol: it is held against that of websockets."""

import json

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from benchmarks.wire import OP_TEXT, cut_frames, done_reply, frame, handshake_answer


def connected():
    client = ClientProtocol(parse_uri("ws://localhost/chat"))
    client.send_request(client.connect())
    request = b"".join(client.data_to_send())
    client.receive_data(handshake_answer(request))
    client.events_received()
    return client


def test_a_client_takes_its_handshake():
    assert connected().state is OPEN


def test_what_is_no_handshake_is_refused():
    with pytest.raises(ValueError, match="no WebSocket handshake"):
        handshake_answer(b"GET / HTTP/1.1\r\nHost: localhost")


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_of_every_size_are_read(size):
    client = connected()
    client.send_text(b"x" * size)
    assert cut_frames(b"".join(client.data_to_send())) == ([(OP_TEXT, b"x" * size)], b"")


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_of_every_size_are_written(size):
    client = connected()
    client.receive_data(frame(b"x" * size))
    (event,) = client.events_received()
    assert isinstance(event, Frame)
    assert event.data == b"x" * size


def test_a_torn_frame_waits_for_its_rest():
    client = connected()
    client.send_text(b"one")
    client.send_text(b"x" * 300)
    data = b"".join(client.data_to_send())
    for cut in range(len(data)):
        frames, rest = cut_frames(data[:cut])
        more, over = cut_frames(rest + data[cut:])
        assert (frames + more, over) == ([(OP_TEXT, b"one"), (OP_TEXT, b"x" * 300)], b"")


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")])
def test_a_message_is_answered_with_its_id(separators):
    message = json.dumps({"type": "chat", "id": "u-1", "message": "hello"}, separators=separators)
    ((_, payload),), _ = cut_frames(done_reply(message.encode()))
    assert json.loads(payload) == {"type": "done", "id": "u-1"}
