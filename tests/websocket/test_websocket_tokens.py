"""Tokens of a file, a template or the environment: who gets which, and no secret in any error."""

import pytest
from bringing import SECRET, Bad, plan_of, provided, refused

from nightbench.errors import ConfigurationError
from nightbench.websocket.provisions import headers_of, script_of

pytestmark = pytest.mark.usefixtures("in_a_folder")


def test_one_token_is_everybodys():
    plan = plan_of()
    provisions = provided(plan, SECRET)
    assert headers_of(plan, provisions, 3) == (("Authorization", f"Bearer {SECRET}"),)


def test_tokens_of_a_file_go_round(tmp_path):
    (tmp_path / "tokens.txt").write_bytes(b"\xef\xbb\xbfone\r\n\r\n  two  \n")
    plan = plan_of(tokens={"file": "tokens.txt"})
    provisions = provided(plan, "for-all")
    assert provisions.tokens == ("one", "two")
    assert [headers_of(plan, provisions, user)[0][1] for user in range(3)] == [
        "Bearer one",
        "Bearer two",
        "Bearer one",
    ]


def test_tokens_of_a_template_are_of_the_user_and_its_row(tmp_path):
    (tmp_path / "users.csv").write_text("name\nann\nbob\n")
    tokens = {"template": "${env:KEY_OF_IT}-${name}-${user}"}
    provisions = provided(plan_of(data="users.csv", tokens=tokens))
    assert provisions.tokens == tuple(
        f"{SECRET}-{name}-{user}" for user, name in enumerate(("ann", "bob", "ann", "bob"))
    )


def test_a_token_may_travel_in_the_greeting(tmp_path):
    (tmp_path / "tokens.txt").write_text("one\ntwo\n")
    greeting = {"name": "hello", "body": {"id": "${id}", "token": "${token}"}}
    plan = plan_of(greeting=greeting, tokens={"file": "tokens.txt"})
    script = script_of(plan, "run", provided(plan))
    assert script.greeting(1, "m") == (b'{"id":"m","token":"two"}', False)


def token_file(content, *says):
    return Bad({"tokens": {"file": "t"}}, ["tokens.file = 't'", *says], {"t": content})


BAD = {
    "tokens that are a pipe": Bad(
        {"tokens": {"file": "pipe.csv"}}, ["tokens.file = 'pipe.csv'", "it is a pipe and not a file"]
    ),
    "tokens that are a device": Bad(
        {"tokens": {"file": "/dev/zero"}}, ["tokens.file = '/dev/zero'", "it is a device and not a file"]
    ),
    "tokens that are too large": Bad(
        {"tokens": {"file": "large.csv"}}, ["tokens.file = 'large.csv'", "is larger than 256 MiB"]
    ),
    "file of tokens that does not exist": Bad(
        {"tokens": {"file": "no"}}, ["tokens.file = 'no'", "cannot be read: no such file", "a token a line"]
    ),
    "file of tokens that is empty": token_file(b"", "gives no token", "a token a line"),
    "file of tokens of blank lines": token_file(b"\n  \n", "gives no token"),
    "file of tokens with a blank in one": token_file(b"one\n%b x\n" % SECRET.encode(), "line 2 is no token"),
    "file of tokens of another encoding": token_file(b"one\ntw\xff\n", "line 2 is no token", "ASCII"),
    "template without a token in it": Bad(
        {"tokens": {"template": f"{SECRET} ${{user}}"}}, ["tokens.template = '***'", "no token of user 0"]
    ),
    "template with a variable that is not set": Bad(
        {"tokens": {"template": "${env:NO_SUCH_ONE}"}},
        ["tokens.template = '***'", "variable NO_SUCH_ONE is not set"],
    ),
    "template with an unknown placeholder": Bad(
        {"tokens": {"template": f"{SECRET}${{usr}}"}},
        ["tokens.template = '***'", "no such placeholder", "did you mean user?"],
    ),
    "Authorization twice": Bad(
        {"headers": {"authorization": SECRET}, "tokens": {"template": "x"}},
        ["tokens = '***'", "Authorization", "one of the two"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_gives_no_token_is_told_before_any_load(case):
    refused(BAD[case])


@pytest.mark.parametrize("token", ["abc\r\nX-Evil: 1", "abc\n", "tök€n", "two words"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(token):
    with pytest.raises(ConfigurationError, match=r"--token / NIGHTBENCH_TOKEN.*visible ASCII") as caught:
        provided(plan_of(), token)
    assert "abc" not in str(caught.value)
