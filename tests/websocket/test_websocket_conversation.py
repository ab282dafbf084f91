"""Which reply belongs to which request; a wrong one is never taken for a right one."""

import asyncio
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.plan import ReplyRules
from nightbench.websocket.conversation import Conversation, Request
from nightbench.websocket.rules import compile_rules

BY_ORDER = {"match": "order", "done": "type == done"}
RAW = {"match": "order", "format": "raw", "done": None, "error": None}


def conversation_of(prefix="u1-", **rules):
    return Conversation(compile_rules(ReplyRules(**rules)), prefix)


def send(conversation, now=0):
    request = Request(conversation.next_id(), 0, True, now, now, now + 100)
    conversation.begin(request)
    return request


def say(kind, message_id=None, **more):
    return json.dumps({"type": kind, "id": message_id, **more}).encode()


def test_a_reply_is_chunks_and_then_done():
    conversation = conversation_of()
    request = send(conversation)
    first, second, done = (say("chunk", request.id), say("chunk", request.id), say("done", request.id))
    for now, payload in ((5, first), (7, second), (9, done)):
        assert conversation.receive(payload, False, now) is request
    assert (request.whole, request.error, conversation.in_flight) == (True, None, 0)
    assert (request.first, request.previous, request.latest, request.chunks) == (5, 5, 7, 2)
    assert request.received == len(first) + len(second) + len(done)


def test_a_reply_of_one_part_is_first_and_latest_at_once():
    conversation = conversation_of()
    request = send(conversation)
    conversation.receive(say("done", request.id), False, 9)
    assert (request.first, request.latest, request.previous, request.chunks) == (9, 9, 0, 0)


@pytest.mark.parametrize(
    ("rules", "last", "error"),
    [
        ({}, {"type": "error"}, "reply_error"),
        ({}, {"type": "done"}, None),
        ({"expect": "text exists"}, {"type": "done"}, "wrong_reply"),
        ({"expect": "text exists"}, {"type": "done", "text": "x"}, None),
        ({"done": None, "error": None}, {"type": "chat"}, None),
        ({"done": "final == true", "error": "code != 0"}, {"final": True, "code": 0}, None),
        ({"done": "final == true", "error": "code != 0"}, {"final": True, "code": 7}, "reply_error"),
    ],
)
def test_the_rules_say_what_ends_a_reply_and_whether_it_is_right(rules, last, error):
    conversation = conversation_of(**rules)
    request = send(conversation)
    conversation.receive(json.dumps({"id": request.id, **last}).encode(), False, 9)
    assert (request.whole, request.error) == (True, error)


def test_the_id_is_where_the_plan_says():
    conversation = conversation_of(id_path="meta.reply_to[0]")
    request = send(conversation)
    reply = {"id": "other", "meta": {"reply_to": [request.id]}, "type": "done"}
    assert conversation.receive(json.dumps(reply).encode(), False, 1) is request
    assert request.whole


@pytest.mark.parametrize(
    ("payload", "binary", "kind"),
    [
        (b"not json", False, "invalid_json"),
        (b"\xff\xfe", False, "invalid_json"),
        (b"[" * 100_000, False, "invalid_json"),
        (b"[1, 2]", False, "not_an_object"),
        (b"{}", False, "unknown_id"),
        (b'{"id": ["u1-1"], "type": "done"}', False, "unknown_id"),
        (b'{"id": 1, "type": "done"}', False, "unknown_id"),
        (b'{"id": "u1-2", "type": "done"}', False, "unknown_id"),
        (b'{"id": "u1-0", "type": "done"}', False, "unknown_id"),
        (b'{"id": "u1-", "type": "done"}', False, "unknown_id"),
        (b'{"id": "u1-99999999999999999999999", "type": "done"}', False, "unknown_id"),
        (b'{"id": "u2-1", "type": "done"}', False, "unknown_id"),
        (b'{"id": "u1-1", "type": "done"}', True, "unexpected_binary"),
    ],
)
def test_what_belongs_to_no_request_is_counted_as_stray(payload, binary, kind):
    conversation = conversation_of()
    send(conversation)
    assert conversation.receive(payload, binary, 1) == kind
    assert conversation.in_flight == 1


def test_a_duplicate_and_a_late_reply_are_told_apart():
    conversation = conversation_of()
    done, late = send(conversation), send(conversation)
    conversation.receive(say("done", done.id), False, 1)
    assert conversation.give_up(late)
    assert conversation.receive(say("done", done.id), False, 2) == "duplicate_reply"
    assert conversation.receive(say("done", late.id), False, 2) == "late_reply"
    assert not conversation.give_up(done)
    assert not conversation.give_up(late)


def test_a_lost_connection_ends_everything_under_way():
    conversation = conversation_of()
    requests = [send(conversation), send(conversation)]
    assert conversation.abandon() == requests
    assert conversation.in_flight == 0
    assert conversation.abandon() == []
    assert conversation.receive(say("done", requests[0].id), False, 1) == "late_reply"


def test_by_order_the_oldest_request_is_answered_first():
    conversation = conversation_of(**BY_ORDER)
    first, second = send(conversation), send(conversation)
    assert conversation.receive(say("chunk"), False, 1) is first
    assert conversation.receive(say("done"), False, 2) is first
    assert conversation.receive(say("done"), False, 3) is second
    assert conversation.receive(say("done"), False, 4) == "unasked_reply"


def test_by_order_a_late_reply_is_not_taken_for_that_of_the_next():
    conversation = conversation_of(**BY_ORDER)
    late, awaited = send(conversation), send(conversation)
    assert conversation.give_up(late)
    assert conversation.receive(say("chunk"), False, 1) == "late_reply"
    assert conversation.receive(say("done"), False, 2) == "late_reply"
    assert conversation.receive(say("done"), False, 3) is awaited


def test_by_order_a_new_connection_begins_a_new_order():
    conversation = conversation_of(**BY_ORDER)
    conversation.give_up(send(conversation))
    conversation.abandon()
    request = send(conversation)
    assert conversation.receive(say("done"), False, 1) is request


def test_raw_messages_are_whole_replies_in_order_whatever_is_in_them():
    conversation = conversation_of(**RAW)
    first, second = send(conversation), send(conversation)
    assert conversation.receive(b"\xff\x00", True, 1) is first
    assert conversation.receive(b"text", False, 2) is second
    assert (first.whole, second.whole, first.received) == (True, True, 2)
    assert conversation.receive(b"more", False, 3) == "unasked_reply"


def same_number(message_id, message):
    return message_id.rpartition("-")[2] == str(message["number"])


def test_a_predicate_says_whose_reply_it_is_and_its_failure_is_counted():
    conversation = conversation_of(match="predicate", predicate=f"{__name__}:same_number")
    first, second = send(conversation), send(conversation)
    assert conversation.receive(say("done", number=2), False, 1) is second
    assert conversation.receive(say("done", number=2), False, 1) == "unasked_reply"
    assert conversation.receive(say("done"), False, 1) == "predicate_failed"
    assert conversation.receive(say("done", number=1), False, 1) is first


def leaving(_message_id, _message):
    sys.exit(3)


def cancelling(_message_id, _message):
    raise asyncio.CancelledError


@pytest.mark.parametrize("function", [leaving, cancelling])
def test_a_predicate_that_ends_more_than_itself_is_one_that_failed(function):
    conversation = conversation_of(match="predicate", predicate=f"{__name__}:{function.__name__}")
    request = send(conversation)
    assert conversation.receive(say("done"), False, 1) == "predicate_failed"
    assert conversation.awaits(request)


def interrupted(_message_id, _message):
    raise KeyboardInterrupt


def test_an_interrupt_inside_of_a_predicate_stays_one():
    conversation = conversation_of(match="predicate", predicate=f"{__name__}:interrupted")
    send(conversation)
    with pytest.raises(KeyboardInterrupt):
        conversation.receive(say("done"), False, 1)


def anybody(_message_id, _message):
    return True


def test_of_several_that_a_reply_may_belong_to_the_oldest_is_answered():
    conversation = conversation_of(match="predicate", predicate=f"{__name__}:anybody")
    requests = [send(conversation), send(conversation)]
    assert [conversation.receive(say("done"), False, 1) for _ in requests] == requests


actions = st.lists(
    st.tuples(
        st.sampled_from(["send", "chunk", "done", "error", "give_up", "foreign", "nonsense", "lose"]),
        st.integers(0, 5),
    ),
    max_size=60,
)
RULES = [{}, BY_ORDER, {**RAW}, {"match": "predicate", "predicate": f"{__name__}:same_number"}]


@given(actions, st.sampled_from(RULES))
def test_every_request_ends_at_most_once_in_any_order_of_events(sequence, rules):
    conversation, requests, ended = conversation_of("u-", **rules), [], []
    for now, (action, which) in enumerate(sequence, start=1):
        if action == "send":
            requests.append(send(conversation, now))
        elif action == "give_up":
            if which < len(requests) and conversation.give_up(requests[which]):
                ended.append(requests[which].id)
        elif action == "lose":
            ended += [request.id for request in conversation.abandon()]
        else:
            message_id = f"u-{which + 1}" if action != "foreign" else f"other-{which}"
            kind = "done" if action == "foreign" else action
            payload = b"?" if action == "nonsense" else say(kind, message_id, number=which + 1)
            event = conversation.receive(payload, False, now)
            if isinstance(event, Request) and event.whole:
                ended.append(event.id)
    assert len(ended) == len(set(ended))
    assert len(requests) == len(ended) + conversation.in_flight


@given(actions)
def test_by_id_only_the_request_with_that_id_is_answered(sequence):
    conversation, requests = conversation_of("u-"), {}
    for now, (action, which) in enumerate(sequence, start=1):
        if action == "send":
            request = send(conversation, now)
            requests[request.id] = request
        elif action in ("chunk", "done", "error"):
            event = conversation.receive(say(action, f"u-{which + 1}"), False, now)
            if isinstance(event, Request):
                assert event is requests[f"u-{which + 1}"]


def test_what_ended_costs_no_memory():
    conversation = conversation_of("u-")
    for now in range(3000):
        conversation.receive(say("done", send(conversation, now).id), False, now)
        conversation.give_up(send(conversation, now))
    assert conversation.receive(say("done", "u-5999"), False, 1) == "duplicate_reply"
    assert conversation.receive(say("done", "u-6000"), False, 1) == "late_reply"
    assert conversation.receive(say("done", "u-1"), False, 1) == "duplicate_reply"
    remembered = conversation._given_up
    assert len(remembered) == 100
