"""Tokens, rows and headers: where they come from, who gets which, and no secret in any error."""

import os
import pickle
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nightbench.errors import ConfigurationError
from nightbench.plan import TokenSource, WebSocketPlan
from nightbench.websocket.data import read_rows
from nightbench.websocket.provisions import Provisions, headers_of, load_provisions, script_of
from nightbench.websocket.tokens import read_tokens

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_SUCH_ONE", raising=False)
    monkeypatch.setenv("KEY_OF_IT", SECRET)


def plan_of(**fields):
    return WebSocketPlan(**{"users": 4, "duration": 1, **fields})


def python(code):
    return [sys.executable, "-c", code]


def test_nothing_is_brought_along_by_default():
    plan = plan_of()
    provisions = load_provisions(plan, None)
    assert (provisions.tokens, provisions.rows, headers_of(plan, provisions, 0)) == ((), (), ())


def test_one_token_is_everybodys():
    plan = plan_of()
    provisions = load_provisions(plan, SECRET)
    assert headers_of(plan, provisions, 3) == (("Authorization", f"Bearer {SECRET}"),)


def test_tokens_of_a_file_go_round(tmp_path):
    (tmp_path / "tokens.txt").write_bytes(b"\xef\xbb\xbfone\r\n\r\n  two  \n")
    plan = plan_of(tokens={"file": "tokens.txt"})
    provisions = load_provisions(plan, "for-all")
    assert provisions.tokens == ("one", "two")
    assert [headers_of(plan, provisions, user)[0][1] for user in range(3)] == [
        "Bearer one",
        "Bearer two",
        "Bearer one",
    ]


def test_tokens_of_a_template_are_of_the_user_and_its_row(tmp_path):
    (tmp_path / "users.csv").write_text("name\nann\nbob\n")
    tokens = {"template": "${env:KEY_OF_IT}-${name}-${user}"}
    provisions = load_provisions(plan_of(data="users.csv", tokens=tokens), None)
    assert provisions.tokens == tuple(
        f"{SECRET}-{name}-{user}" for user, name in enumerate(("ann", "bob", "ann", "bob"))
    )


def test_a_command_is_told_how_many_users_there_are():
    code = "import os\nfor user in range(int(os.environ['NIGHTBENCH_USERS'])): print('t', user, sep='')"
    assert read_tokens(TokenSource(command=python(code)), 3, ()) == ("t0", "t1", "t2")


def test_what_a_command_says_on_stderr_is_no_token():
    code = "import sys; print('deprecated', file=sys.stderr, flush=True); print('t')"
    assert read_tokens(TokenSource(command=python(code)), 3, ()) == ("t",)


def test_headers_are_filled_in_for_each_user(tmp_path):
    (tmp_path / "users.csv").write_text("tenant\na\nb\n")
    headers = {"X-Tenant": "${tenant}-${user}", "Authorization": "Basic ${env:KEY_OF_IT}"}
    plan = plan_of(data="users.csv", headers=headers)
    provisions = load_provisions(plan, "the-token-of-the-environment")
    assert headers_of(plan, provisions, 3) == (("X-Tenant", "b-3"), ("Authorization", f"Basic {SECRET}"))


def test_what_is_provided_goes_to_another_process_whole_and_shows_no_secret(tmp_path):
    (tmp_path / "it.bin").write_bytes(b"\0\1")
    plan = plan_of(
        headers={"X-Key": "${env:KEY_OF_IT}"},
        messages=[{"name": "a", "binary_file": "it.bin"}],
        reply={"match": "order"},
    )
    provisions = load_provisions(plan, SECRET)
    (tmp_path / "it.bin").unlink()
    copy = pickle.loads(pickle.dumps(provisions))
    assert headers_of(plan, copy, 0) == (("X-Key", SECRET), ("Authorization", f"Bearer {SECRET}"))
    assert script_of(plan, "run", copy).compose(0, 1, "m") == (0, b"\0\1", True)
    assert SECRET not in repr(provisions)


def test_a_csv_file_is_read_as_a_spreadsheet_writes_it(tmp_path):
    (tmp_path / "it.csv").write_bytes(b'\xef\xbb\xbfq,"a, b"\r\n"line\none, ""x""",\r\n\r\nf\xc3\xbcnf,5\r\n')
    assert read_rows("it.csv") == ({"q": 'line\none, "x"', "a, b": ""}, {"q": "fünf", "a, b": "5"})


def test_a_parquet_file_is_read_as_text(tmp_path):
    columns = {
        "text": ["a", None],
        "number": [1, 22],
        "share": [0.5, 1.25],
        "yes": [True, False],
        "kind": pa.array(["x", "y"]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), "it.parquet")
    assert read_rows("it.parquet") == (
        {"text": "a", "number": "1", "share": "0.5", "yes": "true", "kind": "x"},
        {"text": "", "number": "22", "share": "1.25", "yes": "false", "kind": "y"},
    )


@dataclass
class Bad:
    """A plan whose surroundings are wrong, the files of it, and what the error has to say."""

    fields: dict
    says: list[str]
    files: dict[str, bytes] = field(default_factory=dict)


def data(name, content, *says):
    return Bad({"data": name}, [f"data = '{name}'", *says], {name: content})


def token_file(content, *says):
    return Bad({"tokens": {"file": "t"}}, ["tokens.file = 't'", *says], {"t": content})


def command(code, *says):
    return Bad({"tokens": {"command": python(code)}}, [f"tokens.command = '{sys.executable}'", *says])


BAD = {
    "data that does not exist": Bad({"data": "no.csv"}, ["data = 'no.csv'", "cannot be read: no such file"]),
    "data in a folder": Bad({"data": "."}, ["data = '.'", ".csv nor .parquet"]),
    "data of another kind": data("it.xlsx", b"x", "is neither .csv nor .parquet"),
    "data in a home that is none": Bad({"data": "~nosuchuser/x.csv"}, ["data = ", "home directory"]),
    "CSV that is empty": data("it.csv", b"", "has no row"),
    "CSV without rows": data("it.csv", b"a,b\n", "has no row", "a header line"),
    "CSV with a short row": data("it.csv", b"a,b\n1,2\n3\n", "line 3 has 1 values for 2 columns"),
    "CSV with a long row": data("it.csv", b"a\n1,2\n", "line 2 has 2 values for 1 columns", '"quotes"'),
    "CSV torn inside of quotes": data("it.csv", b'a,b\n1,"2\n', "is no CSV", "unexpected end of data"),
    "CSV with two columns of a name": data("it.csv", b"a,b,a\n1,2,3\n", "has two columns 'a'"),
    "CSV with a column without a name": data("it.csv", b"a,\n1,2\n", "a column without a name"),
    "CSV of another encoding": data("it.csv", b"a\n\xff\xfe\n", "is not UTF-8"),
    "CSV with an endless value": data("it.csv", b"a\n" + b"x" * 200_000, "line 2 is no CSV", "field limit"),
    "data that is a pipe": Bad({"data": "pipe.csv"}, ["data = 'pipe.csv'", "it is a pipe and not a file"]),
    "data that is a device": Bad(
        {"data": "zero.csv"}, ["data = 'zero.csv'", "it is a device and not a file"]
    ),
    "data that is too large": Bad({"data": "large.csv"}, ["data = 'large.csv'", "is larger than 256 MiB"]),
    "tokens that are a pipe": Bad(
        {"tokens": {"file": "pipe.csv"}}, ["tokens.file = 'pipe.csv'", "it is a pipe and not a file"]
    ),
    "tokens that are a device": Bad(
        {"tokens": {"file": "/dev/zero"}}, ["tokens.file = '/dev/zero'", "it is a device and not a file"]
    ),
    "tokens that are too large": Bad(
        {"tokens": {"file": "large.csv"}}, ["tokens.file = 'large.csv'", "is larger than 256 MiB"]
    ),
    "message that is a device": Bad(
        {"messages": [{"name": "a", "binary_file": "/dev/zero"}], "reply": {"match": "order"}},
        ["messages[0].binary_file = '/dev/zero'", "it is a device and not a file"],
    ),
    "message that is too large": Bad(
        {"messages": [{"name": "a", "binary_file": "large.csv"}], "reply": {"match": "order"}},
        ["messages[0].binary_file = 'large.csv'", "is larger than 16 MiB"],
    ),
    "Parquet that is empty": data("it.parquet", b"", "is no Parquet file, or a torn one"),
    "Parquet that is torn": data("it.parquet", b"PAR1" + b"x" * 50, "is no Parquet file, or a torn one"),
    "file of tokens that does not exist": Bad(
        {"tokens": {"file": "no"}}, ["tokens.file = 'no'", "cannot be read: no such file", "a token a line"]
    ),
    "file of tokens that is empty": token_file(b"", "gives no token", "a token a line"),
    "file of tokens of blank lines": token_file(b"\n  \n", "gives no token"),
    "file of tokens with a blank in one": token_file(b"one\n%b x\n" % SECRET.encode(), "line 2 is no token"),
    "file of tokens of another encoding": token_file(b"one\ntw\xff\n", "line 2 is no token", "ASCII"),
    "command that does not exist": Bad(
        {"tokens": {"command": ["no-such-program", SECRET]}},
        ["tokens.command = 'no-such-program'", "cannot be run: no such file"],
    ),
    "command that fails": command(f"print('{SECRET}'); exit(3)", "ended with exit code 3", "by hand"),
    "command that says why on stderr": command(
        f"import sys; print('{SECRET}', file=sys.stderr); exit(3)", "ended with exit code 3"
    ),
    "command that prints nothing": command("pass", "gives no token"),
    "command that prints sentences": command(f"print('your token: {SECRET}')", "line 1 is no token"),
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
    "header with a variable that is not set": Bad(
        {"headers": {"X-Key": "${env:NO_SUCH_ONE}"}},
        ["headers.X-Key = '***'", "variable NO_SUCH_ONE is not set"],
    ),
    "header with an unknown column": Bad(
        {"headers": {"X-Key": f"{SECRET} ${{q}}"}}, ["headers.X-Key = '***'", "no such placeholder"]
    ),
    "header with a line break": Bad(
        {"headers": {"X-Key": f"{SECRET}\nX-Other: y"}}, ["headers.X-Key = '***'", "line break"]
    ),
    "header with a line break in the data": Bad(
        {"headers": {"X-Key": "${q}"}, "data": "it.csv"},
        ["headers.X-Key = '***'", "in row 2 of the data file", "line break"],
        {"it.csv": b'q\nx\n"%b\ny"\n' % SECRET.encode()},
    ),
    "Authorization twice": Bad(
        {"headers": {"authorization": SECRET}, "tokens": {"template": "x"}},
        ["tokens = '***'", "Authorization", "one of the two"],
    ),
    "message that cannot be said": Bad({"message": "${q}"}, ["message = '${q}'", "no such placeholder"]),
    "predicate that cannot be imported": Bad(
        {"reply": {"match": "predicate", "predicate": "no_such_module:f"}}, ["reply.predicate"]
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_told_before_any_load(case, tmp_path):
    bad = BAD[case]
    os.mkfifo("pipe.csv")
    Path("zero.csv").symlink_to("/dev/zero")
    with Path("large.csv").open("wb") as file:
        file.truncate(256 * 2**20 + 1)  # a hole, which takes no room
    for name, content in bad.files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_provisions(plan_of(**bad.fields), None)
    error = str(caught.value)
    for text in bad.says:
        assert text in error
    assert SECRET not in error
    assert "\n" not in error


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"a": [[1], [2]]}, "column a is list"),
        ({"a": [b"\xff"]}, "column a is binary"),
        ({"a": pa.array([], pa.string())}, "has no row"),
    ],
)
def test_parquet_that_is_no_rows_of_text_is_told(columns, problem):
    pq.write_table(pa.table(columns), "it.parquet")
    with pytest.raises(ConfigurationError, match=problem):
        read_rows("it.parquet")


def test_a_command_that_prints_without_end_is_ended(monkeypatch):
    monkeypatch.setattr("nightbench.websocket.tokens._MOST_BYTES", 2**20)
    code = "import sys\nwhile True: sys.stdout.write('t\\n' * 10_000)"
    with pytest.raises(ConfigurationError, match=r"tokens.command = .* prints more than 1 MiB"):
        read_tokens(TokenSource(command=python(code)), 1, (), timeout=60)


def test_a_command_that_has_said_all_and_does_not_end_is_ended():
    code = "import os, threading\nprint('t', flush=True)\nos.close(1)\nthreading.Event().wait()"
    with pytest.raises(ConfigurationError, match=r"took longer than 1 s"):
        read_tokens(TokenSource(command=python(code)), 1, (), timeout=1)


def test_data_of_too_many_values_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("nightbench.websocket.data.MOST_VALUES", 5)
    (tmp_path / "it.csv").write_text("a,b\n1,2\n3,4\n5,6\n")
    pq.write_table(pa.table({"a": [1, 2, 3], "b": [1, 2, 3]}), "it.parquet")
    for name in ("it.csv", "it.parquet"):
        with pytest.raises(ConfigurationError, match=rf"data = '{name}': has more than 5 values"):
            read_rows(name)


def test_a_small_parquet_file_that_holds_much_is_refused(monkeypatch):
    monkeypatch.setattr("nightbench.websocket.data.MOST_BYTES", 2**20)
    pq.write_table(pa.table({"a": ["x" * 2**22]}), "it.parquet", compression="zstd", use_dictionary=False)
    assert Path("it.parquet").stat().st_size < 2**20
    with pytest.raises(ConfigurationError, match=r"data = 'it.parquet': holds more than 1 MiB"):
        read_rows("it.parquet")


def test_a_token_may_travel_in_the_greeting(tmp_path):
    (tmp_path / "tokens.txt").write_text("one\ntwo\n")
    greeting = {"name": "hello", "body": {"id": "${id}", "token": "${token}"}}
    plan = plan_of(greeting=greeting, tokens={"file": "tokens.txt"})
    script = script_of(plan, "run", load_provisions(plan, None))
    assert script.greeting(1, "m") == (b'{"id":"m","token":"two"}', False)


def test_a_command_that_does_not_end_is_ended_with_all_that_it_began(tmp_path):
    # the grandchild holds stdout open too; it says its pid before it waits for ever
    code = (
        "import subprocess, sys, threading\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import threading; threading.Event().wait()'])\n"
        "open('pid', 'w').write(str(child.pid))\n"
        "threading.Event().wait()\n"
    )
    with pytest.raises(ConfigurationError, match=r"took longer than 1 s"):
        read_tokens(TokenSource(command=python(code)), 1, (), timeout=1)
    import psutil

    pid = int((tmp_path / "pid").read_text())
    if psutil.pid_exists(pid):  # it may take a moment to be gone, or wait for its new parent to look
        psutil.wait_procs([psutil.Process(pid)], timeout=10)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_an_empty_provision_is_nobodys():
    assert headers_of(plan_of(), Provisions(), 0) == ()


@pytest.mark.parametrize("token", ["abc\r\nX-Evil: 1", "abc\n", "tök€n", "two words"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(token):
    with pytest.raises(ConfigurationError, match=r"--token / NIGHTBENCH_TOKEN.*visible ASCII") as caught:
        load_provisions(plan_of(), token)
    assert "abc" not in str(caught.value)


def test_of_a_command_only_the_program_is_stored():
    source = TokenSource(command=("mint", "--password", "hunter2"))
    assert source.model_dump(mode="json")["command"] == ["mint", "***", "***"]
    assert source.command == ("mint", "--password", "hunter2")
