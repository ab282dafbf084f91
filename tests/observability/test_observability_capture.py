"""What the helpers send, to whom it belongs, and that they never break their caller."""

import asyncio
import sys
import threading

import pytest
import sentry_sdk
from watched import kept

from nightbench.observability import capture_exception, capture_message, privacy
from nightbench.observability.capture import _LEVELS


def the_event(transport):
    (event,) = transport.of("event")
    return event


def test_an_error_goes_with_what_was_given():
    with kept() as transport:
        event_id = capture_exception(
            ValueError("broken"),
            context={"reply": {"chunks": 3}, "attempt": 2},
            user={"id": "u1"},
            tags={"kind": "chat"},
        )
    event = the_event(transport)
    assert event["event_id"] == event_id
    assert event["exception"]["values"][-1]["value"] == "broken"
    assert event["contexts"]["reply"] == {"chunks": 3}
    assert event["contexts"]["context"] == {"attempt": 2}
    assert event["user"] == {"id": "u1"}
    assert event["tags"] == {"kind": "chat"}


def test_a_message_goes_with_its_level_and_tags():
    with kept() as transport:
        capture_message("the queue is full", level="warning", tags={"queue": "replies"})
    event = the_event(transport)
    assert (event["message"], event["level"], event["tags"]) == (
        "the queue is full",
        "warning",
        {"queue": "replies"},
    )


@pytest.mark.parametrize(
    ("level", "sent"),
    [*((level, level) for level in sorted(_LEVELS)), ("WARN", "warning"), ("loud", "info"), (None, "info")],
)
def test_a_level_is_one_that_sentry_knows(level, sent):
    with kept() as transport:
        capture_message("text", level=level)
    assert the_event(transport)["level"] == sent


def test_a_context_cannot_take_the_place_of_what_ties_events_together():
    with kept() as transport:
        capture_exception(ValueError(), context={"trace": {"trace_id": "mine"}})
    contexts = the_event(transport)["contexts"]
    assert len(contexts["trace"]["trace_id"]) == 32
    assert contexts["context"] == {"trace": {"trace_id": "mine"}}


@pytest.mark.parametrize(
    ("tags", "sent"),
    [
        ({"n": 3, "on": True, "none": None}, {"n": "3", "on": "true"}),
        ({7: 1.5}, {"7": "1.5"}),
        ("no tags", None),
        ({}, None),
    ],
)
def test_tags_are_text(tags, sent):
    with kept() as transport:
        capture_message("text", tags=tags)
    assert the_event(transport).get("tags") == sent


@pytest.mark.parametrize(("user", "sent"), [("u1", "u1"), (42, "42"), ({"id": 42}, 42)])
def test_a_user_may_be_an_id(user, sent):
    with kept() as transport:
        capture_exception(ValueError(), user=user)
    assert the_event(transport)["user"]["id"] == sent


def test_the_scope_of_the_caller_stays_as_it_is():
    with kept() as transport, sentry_sdk.isolation_scope():
        sentry_sdk.set_tag("mine", "1")
        sentry_sdk.set_user({"id": "me"})
        capture_exception(ValueError(), context={"a": {"b": 1}}, user={"id": "other"}, tags={"theirs": "2"})
        capture_message("after")
    first, second = transport.of("event")
    assert first["tags"] == {"mine": "1", "theirs": "2"}
    assert first["user"] == {"id": "other"}
    assert second["tags"] == {"mine": "1"}
    assert second["user"] == {"id": "me"}
    assert "a" not in second["contexts"]


async def _one_of_many(number, everyone):
    with sentry_sdk.isolation_scope():
        sentry_sdk.set_tag("of_task", number)
        await everyone.wait()
        capture_exception(
            ValueError(f"task {number}"),
            context={"task": {"n": number}},
            user=f"u{number}",
            tags={"number": number},
        )


def test_200_tasks_at_once_each_tell_their_own():
    async def all_of_them():
        barrier = asyncio.Barrier(200)
        await asyncio.gather(*(_one_of_many(number, barrier) for number in range(200)))

    with kept() as transport:
        asyncio.run(all_of_them())
    assert sorted(map(_told_as_one, transport.of("event"))) == list(range(200))


def _told_as_one(event):
    """The number of the task that an event tells of, which all of it must agree on."""
    (number,) = {
        int(event["tags"]["number"]),
        int(event["tags"]["of_task"]),
        event["contexts"]["task"]["n"],
        int(event["user"]["id"].removeprefix("u")),
        int(event["exception"]["values"][-1]["value"].removeprefix("task ")),
    }
    return number


def test_threads_tell_their_own():
    def tell(number):
        everyone.wait()
        capture_message(f"thread {number}", tags={"number": number})

    everyone = threading.Barrier(20)
    with kept() as transport:
        threads = [threading.Thread(target=tell, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    events = transport.of("event")
    assert len(events) == 20
    assert all(event["message"] == f"thread {event['tags']['number']}" for event in events)


class _Hostile:
    def __str__(self):
        raise RuntimeError

    __repr__ = __iter__ = __len__ = __bool__ = __hash__ = __str__


def _endless():
    value = {}
    value["again"] = value
    return value


@pytest.mark.parametrize(
    "thing", [_Hostile(), _endless(), {"x": _Hostile()}, [_Hostile()], b"\xff", object()]
)
def test_whatever_is_given_the_error_arrives(thing):
    with kept() as transport:
        capture_exception(ValueError("broken"), context=thing, user=thing, tags=thing)
        capture_exception(KeyError(), context={"a": thing}, user={"id": thing}, tags={"a": thing})
    assert len(transport.of("event")) == 2


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("text", "text"),
        (7, "7"),
        (_Hostile(), "<_Hostile>"),
        (int, "<type>"),
        ((1, 2), "[1, 2]"),
        (None, "capture_exception was called without an error"),
    ],
    ids=["text", "number", "hostile", "class", "tuple", "nothing"],
)
def test_what_is_no_error_is_a_message(error, told):
    with kept() as transport:
        assert capture_exception(error, tags={"kind": "chat"})
    event = the_event(transport)
    assert (event["message"], event["level"], event["tags"]) == (told, "error", {"kind": "chat"})


def test_a_class_stands_for_an_error_of_it():
    with kept() as transport:
        assert capture_exception(TimeoutError)
    (told,) = the_event(transport)["exception"]["values"]
    assert (told["type"], told["value"]) == ("TimeoutError", "")


def test_what_is_handled_is_sent_by_its_triple_or_without_being_named():
    with kept() as transport:
        try:
            {}["a key"]
        except KeyError:
            capture_exception(sys.exc_info())
            capture_exception(None)
    assert [event["exception"]["values"][0]["type"] for event in transport.of("event")] == ["KeyError"] * 2


def test_an_error_that_the_sdk_cannot_make_an_event_of_is_told_by_its_type(monkeypatch):
    def explode(*_, **__):
        raise RecursionError

    monkeypatch.setattr(sentry_sdk, "capture_exception", explode)
    with kept() as transport:
        assert capture_exception(TimeoutError("why"))
    (told,) = the_event(transport)["exception"]["values"]
    assert told["type"] == "TimeoutError"


def test_without_what_belongs_to_it_the_error_arrives(monkeypatch):
    def explode(_):
        raise MemoryError

    monkeypatch.setattr(privacy, "bounded", explode)
    with kept() as transport:
        assert capture_exception(TimeoutError("why"), context={"a": 1}, user="u", tags={"a": "b"})
        assert capture_message("text", tags={"a": "b"})
    assert len(transport.of("event")) == 2


@pytest.mark.parametrize("message", [7, None, _Hostile(), b"bytes"])
def test_what_is_no_text_breaks_nobody(message):
    with kept() as transport:
        capture_message(message)
    assert len(transport.of("event")) == 1


def test_when_nobody_watches_nothing_is_done():
    assert capture_exception(_Hostile(), context=_Hostile(), user=_Hostile(), tags=_Hostile()) is None
    assert capture_message(_Hostile(), level=_Hostile(), tags=_Hostile()) is None
