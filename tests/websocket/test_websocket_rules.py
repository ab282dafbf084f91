"""Which messages are done, failed, right, and whose they are: JSON compared exactly."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.errors import ConfigurationError
from nightbench.plan import ReplyRules
from nightbench.websocket.rules import compile_rules

MESSAGE = {
    "type": "done",
    "ok": True,
    "n": 1,
    "x": 1.5,
    "nothing": None,
    "list": [1, {"id": "deep"}],
    "payload": {"id": "p-1", "status": 0},
}

# condition, whether it holds of MESSAGE
CONDITIONS = {
    "type == done": True,
    'type == "done"': True,
    "type == dome": False,
    "type != done": False,
    "type != error": True,
    "n == 1": True,
    "n == 1.0": True,
    "n == true": False,
    "n == '1'": False,
    'n == "1"': False,
    "n != 2": True,
    "n != true": True,
    "x == 1.5": True,
    "ok == true": True,
    "ok == 1": False,
    "ok != false": True,
    "nothing == null": True,
    "nothing == 0": False,
    "nothing == false": False,
    "nothing exists": False,
    "n exists": True,
    "payload.status == 0": True,
    "payload.status == false": False,
    "payload.status exists": True,
    "payload.other exists": False,
    "list[0] == 1": True,
    "list[1].id == deep": True,
    "list[2] exists": False,
    "list.id exists": False,
    "payload[0] exists": False,
    'list == [1, {"id": "deep"}]': True,
    'list == [true, {"id": "deep"}]': False,
    "list == [1]": False,
    'payload == {"status": 0, "id": "p-1"}': True,
    'payload == {"status": false, "id": "p-1"}': False,
    # what a message does not have is neither equal nor unequal
    "missing == x": False,
    "missing != x": False,
    "missing == null": False,
    "missing != 0": False,
    "payload.missing != 0": False,
    "type.deeper != x": False,
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "id", "a"]), inner),
)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_holds_exactly_when_it_says_so(condition):
    rules = compile_rules(ReplyRules(expect=condition))
    assert rules.is_right(MESSAGE) is CONDITIONS[condition]


@given(JSON, st.sampled_from([*CONDITIONS, "type[0].a == x", "a.a != x"]))
def test_whatever_the_subject_sends_a_condition_answers(message, condition):
    rules = compile_rules(ReplyRules(done=condition, id_path="a.id"))
    assert isinstance(rules.is_done(message), bool)
    rules.id_of(message)
    compile_rules(ReplyRules()).id_of(message)


@pytest.mark.parametrize(
    ("path", "message", "found"),
    [
        ("id", {"id": "x"}, "x"),
        ("id", {"id": 7}, 7),
        ("id", {}, None),
        ("id", ["id"], None),
        ("id", "id", None),
        ("payload.items[1].id", {"payload": {"items": [0, {"id": "x"}]}}, "x"),
        ("payload.items[1].id", {"payload": {"items": [0]}}, None),
        ("payload.id", {"payload": None}, None),
    ],
)
def test_the_id_is_found_where_the_plan_says(path, message, found):
    assert compile_rules(ReplyRules(id_path=path)).id_of(message) == found


def test_without_conditions_each_message_is_a_whole_right_reply():
    rules = compile_rules(ReplyRules(match="order", done=None, error="none", format="raw"))
    assert (rules.match, rules.format, rules.belongs) == ("order", "raw", None)
    assert [rules.is_done(b""), rules.is_error(b""), rules.is_right(b"")] == [True, False, True]


def test_a_comparison_with_a_number_that_is_none_is_false():
    assert compile_rules(ReplyRules(expect="n == 1")).is_right({"n": math.nan}) is False


def test_a_predicate_is_the_users_function():
    rules = compile_rules(ReplyRules(match="predicate", predicate="websocket.matching:by_reference"))
    assert rules.belongs("m-1", {"ref": "m-1"})
    assert not rules.belongs("m-1", {"ref": "m-2"})


def test_a_predicate_may_lie_in_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "here_only.py").write_text("def belongs(message_id, message):\n    return True\n")
    monkeypatch.chdir(tmp_path)
    rules = compile_rules(ReplyRules(match="predicate", predicate="here_only:belongs"))
    assert rules.belongs("m", {}) is True


@pytest.mark.parametrize(
    ("predicate", "problem"),
    [
        ("no_such_module:f", "cannot be imported: ModuleNotFoundError"),
        ("websocket.matching:other", "websocket.matching has no other"),
        ("websocket.matching:answer", "answer of websocket.matching is no function"),
        ("broken_module:f", "cannot be imported: ZeroDivisionError"),
        ("leaving_module:f", "cannot be imported: SystemExit: 3"),
        (".relative:f", "cannot be imported: TypeError"),
    ],
)
def test_a_predicate_that_cannot_be_called_is_told(predicate, problem, tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("1 / 0\n")
    (tmp_path / "leaving_module.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        compile_rules(ReplyRules(match="predicate", predicate=predicate))
    assert f"reply.predicate = '{predicate}'" in str(caught.value)
    assert problem in str(caught.value)
