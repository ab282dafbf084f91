"""How changes lie upon each other, and which fields agree."""

import pytest
from pydantic import ValidationError

from nightbench.plan import (
    Condition,
    DatabaseChanges,
    ReplyRules,
    TierChanges,
    TlsOptions,
    WebSocketChanges,
    changed,
    combined,
    part,
)
from nightbench.tiers import TIERS


def test_reply_and_tls_are_changed_field_by_field():
    plan = changed(
        TIERS["full"].websocket,
        WebSocketChanges(reply={"match": "order", "done": "end exists"}, tls={"ca_file": "ca.pem"}),
    )
    changes = WebSocketChanges.model_construct(
        reply=part(ReplyRules, {"expect": "ok == true"}), tls=part(TlsOptions, {"verify": False})
    )
    both = changed(plan, changes)
    assert (both.reply.match, str(both.reply.done), str(both.reply.expect)) == (
        "order",
        "end exists",
        "ok == true",
    )
    assert (both.tls.ca_file, both.tls.verify) == ("ca.pem", False)


def test_headers_are_changed_name_by_name():
    plan = changed(TIERS["full"].websocket, WebSocketChanges(headers={"X-A": "1", "X-B": "2"}))
    headers = changed(plan, WebSocketChanges(headers={"x-b": "3", "X-C": "4"})).headers
    values = {name: value.get_secret_value() for name, value in headers.items()}
    assert values == {"X-A": "1", "x-b": "3", "X-C": "4"}


def test_a_part_that_does_not_agree_with_the_rest_is_refused_in_the_plan():
    changes = WebSocketChanges.model_construct(reply=part(ReplyRules, {"format": "raw"}))
    with pytest.raises(ValidationError, match="format: raw needs match: order"):
        changed(TIERS["full"].websocket, changes)


def test_of_rate_and_rate_profile_the_one_that_is_set_last_counts():
    plan = changed(TIERS["full"].websocket, WebSocketChanges(rate=9))
    profiled = changed(plan, WebSocketChanges(rate_profile=[{"at": 0, "rate": 3}]))
    assert (profiled.rate, len(profiled.rate_profile)) == (None, 1)
    assert changed(profiled, WebSocketChanges(rate=5)).rate_profile == ()
    with pytest.raises(ValidationError, match="exclude each other"):
        changed(plan, WebSocketChanges(rate=5, rate_profile=[{"at": 0, "rate": 3}]))


def test_changes_upon_changes_are_one_change():
    below = TierChanges(
        websocket=WebSocketChanges(
            users=7, rate=3, reply={"match": "order"}, targets=("message.x < 1", "message.y < 1")
        ),
        database=DatabaseChanges(workers=3),
    )
    above = TierChanges(
        websocket=WebSocketChanges(
            rate_profile=[{"at": 0, "rate": 3}], reply={"done": "none"}, targets=("message.x < 2",)
        ),
        database=DatabaseChanges(queries=5),
    )
    plan = TIERS["full"]
    assert plan.changed(combined(below, above)) == plan.changed(below).changed(above)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"messages": [{"name": "a", "text": "x"}] * 2}, "same name"),
        ({"messages": [{"name": "A", "text": "x"}]}, "match pattern"),
        ({"rate_profile": [{"at": 3, "rate": 1}, {"at": 2, "rate": 1}]}, "in order of time"),
        ({"rate_profile": [{"at": 3, "rate": 0}]}, "zero throughout"),
        ({"users": 2, "shards": 3}, "more shards than users"),
        ({"reply": {"match": "predicate"}}, "go together"),
        ({"reply": {"predicate": "a:b"}}, "go together"),
        ({"reply": {"id_path": "a..b"}}, "match pattern"),
        ({"tokens": {}}, "one of file, template and command"),
        ({"subprotocols": ["a b"]}, "match pattern"),
    ],
)
def test_fields_that_do_not_agree_make_no_plan(fields, problem):
    with pytest.raises(ValidationError, match=problem):
        changed(TIERS["full"].websocket, WebSocketChanges(**fields))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("type == done", 'type == "done"'),
        (" a.b[0]!=1 ", "a.b[0] != 1"),
        ("ok == true", "ok == true"),
        ('x == "1"', 'x == "1"'),
        ("x == two words", 'x == "two words"'),
        ("error exists", "error exists"),
    ],
)
def test_a_condition_is_read_as_it_is_written(text, written):
    condition = Condition.model_validate(text)
    assert str(condition) == written
    assert Condition.model_validate(str(condition)) == condition
