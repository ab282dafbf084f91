"""Which reply belongs to which request; a wrong one is never taken for a right one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.websocket.conversation import Completed, Conversation, StrayMessage


def send(conversation, now=0):
    request, text = conversation.send("hi", counted=True, scheduled=now, now=now, deadline=now + 100)
    assert json.loads(text) == {"type": "chat", "id": request.id, "message": "hi"}
    return request


def say(kind, message_id):
    return json.dumps({"type": kind, "id": message_id}).encode()


def test_a_reply_is_chunks_and_then_done():
    conversation = Conversation("u1")
    request = send(conversation)
    assert conversation.receive(say("chunk", request.id), 5) is None
    assert conversation.receive(say("chunk", request.id), 7) is None
    assert conversation.receive(say("done", request.id), 9) == Completed(request, None)
    assert (request.first, request.chunks, conversation.in_flight) == (5, 2, 0)


def test_an_error_reply_is_a_failure_with_its_class():
    conversation = Conversation("u1")
    request = send(conversation)
    assert conversation.receive(say("error", request.id), 9) == Completed(request, "reply_error")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"not json", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b"[1, 2]", "not_an_object"),
        (b"{}", "unknown_id"),
        (b'{"id": ["u1-1"], "type": "done"}', "unknown_id"),
        (b'{"id": "u1-2", "type": "done"}', "unknown_id"),
        (b'{"id": "u2-1", "type": "done"}', "unknown_id"),
    ],
)
def test_what_belongs_to_no_request_is_counted_as_stray(text, kind):
    conversation = Conversation("u1")
    send(conversation)
    assert conversation.receive(text, 1) == StrayMessage(kind)
    assert conversation.in_flight == 1


def test_a_duplicate_and_a_late_reply_are_told_apart():
    conversation = Conversation("u1")
    done, late = send(conversation), send(conversation)
    conversation.receive(say("done", done.id), 1)
    assert conversation.time_out(late)
    assert conversation.receive(say("done", done.id), 2) == StrayMessage("duplicate_reply")
    assert conversation.receive(say("done", late.id), 2) == StrayMessage("late_reply")
    assert not conversation.time_out(done)
    assert not conversation.time_out(late)


def test_a_lost_connection_ends_everything_under_way():
    conversation = Conversation("u1")
    requests = [send(conversation), send(conversation)]
    assert conversation.abandon() == requests
    assert conversation.in_flight == 0
    assert conversation.abandon() == []


actions = st.lists(
    st.tuples(st.sampled_from(["send", "chunk", "done", "error", "time_out", "foreign"]), st.integers(0, 5)),
    max_size=60,
)


@given(actions)
def test_every_request_ends_at_most_once_in_any_order_of_events(sequence):
    conversation, requests, ended = Conversation("u"), [], []
    for now, (action, which) in enumerate(sequence):
        if action == "send":
            requests.append(send(conversation, now))
        elif action == "time_out":
            if which < len(requests) and conversation.time_out(requests[which]):
                ended.append(requests[which].id)
        else:
            message_id = f"u-{which + 1}" if action != "foreign" else f"other-{which}"
            kind = action if action != "foreign" else "done"
            event = conversation.receive(say(kind, message_id), now)
            if isinstance(event, Completed):
                ended.append(event.request.id)
    assert len(ended) == len(set(ended))
    assert len(requests) == len(ended) + conversation.in_flight


def test_what_ended_is_remembered_within_bounds():
    conversation = Conversation("u")
    for now in range(3000):
        conversation.receive(say("done", send(conversation, now).id), now)
    assert conversation.receive(say("done", "u-3000"), 1) == StrayMessage("duplicate_reply")
    assert conversation.receive(say("done", "u-1"), 1) == StrayMessage("unknown_id")
