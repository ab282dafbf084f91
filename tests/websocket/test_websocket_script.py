"""What users say: templates, kinds and weights, rows of data; and every way in which a message can be wrong."""

import base64
import itertools
import json
import pickle
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.errors import ConfigurationError
from nightbench.plan import WebSocketPlan
from nightbench.websocket.script import Script
from nightbench.websocket.templates import Place, Template, Values

RUN = "run"


def plan_of(**fields):
    return WebSocketPlan(**{"users": 3, "duration": 1, **fields})


def script_of(*messages, rows=(), tokens=(), **fields):
    return Script(plan_of(messages=messages, **fields), RUN, rows, tokens=tokens)


def body(content, name="a", **fields):
    return {"name": name, "body": content, **fields}


def composed(script, user=1, sequence=2, message_id="m-1"):
    return json.loads(script.compose(user, sequence, message_id)[1])


def test_the_default_message_is_the_reference_backends():
    script = Script(plan_of(message='tell "me"'), RUN, ())
    kind, payload, binary = script.compose(1, 2, "m-1")
    assert json.loads(payload) == {"type": "chat", "id": "m-1", "message": 'tell "me"'}
    assert (kind, binary, script.kinds) == (0, False, ("chat",))


def test_a_body_is_filled_in_as_a_structure():
    content = {"n": [1, 2.5, None, True], "${user}": {"q": "<${id}|${sequence}|${run}|$$${user}|$5>"}}
    assert composed(script_of(body(content))) == {
        "n": [1, 2.5, None, True],
        "1": {"q": "<m-1|2|run|$1|$5>"},
    }


@given(value=st.text(st.characters(codec="utf-8")), around=st.text(st.characters(codec="utf-8")))
def test_whatever_a_column_holds_a_body_stays_json(value, around):
    around = around.replace("$", "$$")
    script = script_of(body({"id": "${id}", "q": f"{around}${{q}}%s%"}), rows=[{"q": value}])
    assert composed(script) == {"id": "m-1", "q": around.replace("$$", "$") + value + "%s%"}


def test_a_column_may_have_a_name_that_json_escapes():
    script = script_of(body({"id": "${id}", "q": '${the "q"\\é}'}), rows=[{'the "q"\\é': "x"}])
    assert composed(script)["q"] == "x"


def test_text_is_filled_in_as_it_is():
    message = {"name": "a", "text": "${q} 100 % of ${id} 💬"}
    kind, payload, binary = script_of(message, rows=[{"q": '"'}]).compose(0, 1, "m")
    assert (kind, payload.decode(), binary) == (0, '" 100 % of m 💬', False)


@pytest.mark.parametrize("given_as", ["binary", "binary_file"])
def test_binary_messages_are_the_bytes_that_were_given(given_as, tmp_path):
    content = bytes(range(256))
    (tmp_path / "it.bin").write_bytes(content)
    values = {"binary": base64.b64encode(content).decode(), "binary_file": str(tmp_path / "it.bin")}
    script = script_of({"name": "a", given_as: values[given_as]}, reply={"match": "order"})
    assert script.compose(0, 1, "m") == (0, content, True)


def test_an_environment_variable_is_filled_in(monkeypatch):
    monkeypatch.setenv("KEY_OF_IT", 'a"${id}%s')
    assert composed(script_of(body({"id": "${id}", "key": "${env:KEY_OF_IT}"})))["key"] == 'a"${id}%s'


def test_each_user_says_its_own_token():
    script = script_of(body({"id": "${id}", "t": "${token}"}), tokens=("one", "two"))
    assert [composed(script, user)["t"] for user in range(3)] == ["one", "two", "one"]


def test_kinds_come_as_often_as_they_weigh():
    script = script_of(
        body("${id}", "a", weight=1), body("${id}", "b", weight=2), body("${id}", "c", weight=7)
    )
    drawn = Counter(script.compose(user, turn, "m")[0] for user in range(100) for turn in range(100))
    assert script.kinds == ("a", "b", "c")
    # five standard deviations of a binomial share around each
    assert [drawn[kind] / 10_000 for kind in range(3)] == pytest.approx([0.1, 0.2, 0.7], abs=0.025)


def test_the_same_place_in_a_run_says_the_same_whichever_process_says_it():
    kinds = [body({"id": "${id}", "q": "${q}"}, name) for name in "abc"]
    rows = [{"q": str(number)} for number in range(10)]
    one, other = (script_of(*kinds, rows=rows, data_order="random", seed=5) for _ in range(2))
    places = [(user, turn, f"{user}-{turn}") for user in range(3) for turn in range(50)]
    assert [one.compose(*place) for place in places] == [other.compose(*place) for place in reversed(places)][
        ::-1
    ]
    seeded = script_of(*kinds, rows=rows, data_order="random", seed=6)
    assert [one.compose(*place) for place in places] != [seeded.compose(*place) for place in places]


def test_cycled_rows_are_each_taken_once_before_any_is_taken_again():
    rows = [{"q": str(number)} for number in range(12)]
    script = script_of(body({"id": "${id}", "q": "${q}"}), rows=rows)
    taken = [composed(script, user, turn)["q"] for turn in range(1, 9) for user in range(3)]
    assert taken == [str(number % 12) for number in range(24)]


@given(rows=st.integers(1, 12), more=st.integers(0, 8))
def test_cycling_each_user_comes_to_every_row_of_a_short_file_and_all_are_taken_alike(rows, more):
    users = rows + more
    script = script_of(
        body({"id": "${id}", "q": "${q}"}), rows=[{"q": str(number)} for number in range(rows)], users=users
    )
    taken = [[composed(script, user, turn)["q"] for user in range(users)] for turn in range(1, rows + 1)]
    assert all(len({row[user] for row in taken}) == rows for user in range(users))
    assert set(Counter(itertools.chain(*taken)).values()) == {users}


def test_own_rows_are_those_of_the_headers_whatever_the_turn():
    script = script_of(
        body({"id": "${id}", "q": "${q}"}), rows=[{"q": "x"}, {"q": "y"}], data_order="own", users=3
    )
    taken = [[composed(script, user, turn)["q"] for user in range(3)] for turn in (1, 2, 3)]
    assert taken == [["x", "y", "x"]] * 3


def test_random_rows_are_all_taken():
    rows = [{"q": str(number)} for number in range(5)]
    script = script_of(body({"id": "${id}", "q": "${q}"}), rows=rows, data_order="random")
    taken = Counter(composed(script, user, turn)["q"] for turn in range(200) for user in range(3))
    assert set(taken) == set("01234")
    assert max(taken.values()) < 2 * min(taken.values())


def test_a_greeting_takes_the_users_own_row_and_is_none_unless_set():
    greeting = {"name": "hello", "body": {"id": "${id}", "who": "${who}", "n": "${sequence}"}}
    script = Script(plan_of(greeting=greeting), RUN, [{"who": "x"}, {"who": "y"}])
    payload, binary = script.greeting(3, "m")
    assert (json.loads(payload), binary) == ({"id": "m", "who": "y", "n": "0"}, False)
    assert Script(plan_of(), RUN, ()).greeting(0, "m") is None


def test_a_template_survives_the_way_to_another_process(monkeypatch):
    monkeypatch.setenv("KEY_OF_IT", "hunter2")
    template = Template("${env:KEY_OF_IT} ${q} ${user}", Place("x", ("user",), ("q",)))
    monkeypatch.delenv("KEY_OF_IT")
    copy = pickle.loads(pickle.dumps(template))
    assert copy.fill(Values(user=7, row={"q": "column"})) == "hunter2 column 7"
    assert "hunter2" not in repr(template)


@dataclass
class Bad:
    """A plan that cannot be used, and what its error has to say."""

    fields: dict
    says: list[str]
    rows: tuple = ()


BAD = {
    "unknown placeholder": Bad(
        {"messages": [body("${id}"), body("${id} ${sequnce}", "b")]},
        ["messages[1].body = '${sequnce}'", "no such placeholder", "did you mean sequence?", "$$"],
    ),
    "unknown placeholder in a key": Bad(
        {"messages": [body({"${x}": "${id}"})]}, ["messages[0].body = '${x}'"]
    ),
    "unknown placeholder in text": Bad(
        {"messages": [{"name": "a", "text": "${ID}"}]}, ["messages[0].text = '${ID}'", "known are", "id"]
    ),
    "unknown placeholder of the default message": Bad({"message": "${prompt}"}, ["message = '${prompt}'"]),
    "missing column": Bad(
        {"messages": [body("${id} ${prompts}")]},
        ["messages[0].body = '${prompts}'", "did you mean prompt?"],
        ({"prompt": "x"},),
    ),
    "column named like a placeholder": Bad(
        {"messages": [body("${id} ${user}")]},
        ["messages[0].body = '${user}'", "also a column", "another name"],
        ({"user": "x"},),
    ),
    "token without tokens": Bad(
        {"messages": [body("${id} ${token}")]}, ["messages[0].body = '${token}'", "no token here", "--token"]
    ),
    "variable that is not set": Bad(
        {"messages": [body("${id} ${env:NO_SUCH_ONE}")]},
        ["messages[0].body = '${env:NO_SUCH_ONE}'", "variable NO_SUCH_ONE is not set"],
    ),
    "no id": Bad({"messages": [body({"q": "x"})]}, ["messages[0] = 'a'", "has no ${id}", "reply.match"]),
    "no id in binary": Bad(
        {"messages": [{"name": "a", "binary": "AAAA"}]}, ["messages[0] = 'a'", "has no ${id}", "reply.match"]
    ),
    "no id in a greeting": Bad({"greeting": body("hello", "hi")}, ["greeting = 'hi'", "has no ${id}"]),
    "not base64": Bad(
        {"messages": [{"name": "a", "binary": "not base64!"}], "reply": {"match": "order"}},
        ["messages[0].binary = 'not base64!'", "is not base64", "binary_file"],
    ),
    "base64 with something in it": Bad(
        {"messages": [{"name": "a", "binary": "AA-AA"}], "reply": {"match": "order"}},
        ["messages[0].binary = 'AA-AA'", "is not base64"],
    ),
    "torn base64": Bad(
        {"messages": [{"name": "a", "binary": "AAAAA"}], "reply": {"match": "order"}}, ["messages[0].binary"]
    ),
    "binary file that does not exist": Bad(
        {"messages": [{"name": "a", "binary_file": "no/such.bin"}], "reply": {"match": "order"}},
        ["messages[0].binary_file = 'no/such.bin'", "cannot be read: no such file"],
    ),
    "greeting's file is a folder": Bad(
        {"greeting": {"name": "a", "binary_file": "/"}, "reply": {"match": "order"}},
        ["greeting.binary_file = '/'", "it is a folder and not a file"],
    ),
    "greeting's file has no end": Bad(
        {"greeting": {"name": "a", "binary_file": "/dev/zero"}, "reply": {"match": "order"}},
        ["greeting.binary_file = '/dev/zero'", "it is a device and not a file"],
    ),
    "variable that is no text": Bad(
        {"message": "${env:IS_NO_TEXT}"}, ["message = ", "environment variable", "no UTF-8"]
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_said_is_told_with_the_field_of_the_plan(case, monkeypatch):
    monkeypatch.setenv("IS_NO_TEXT", "\udcff")
    bad = BAD[case]
    with pytest.raises(ConfigurationError) as caught:
        Script(plan_of(**bad.fields), RUN, bad.rows)
    for text in bad.says:
        assert text in str(caught.value)
