"""What users bring along: headers and messages, filled in for each, and no secret in any error."""

import pickle

import pytest
from bringing import SECRET, Bad, plan_of, provided, refused

from nightbench.websocket.provisions import Provisions, headers_of, script_of

pytestmark = pytest.mark.usefixtures("in_a_folder")


def test_nothing_is_brought_along_by_default():
    plan = plan_of()
    provisions = provided(plan)
    assert (provisions.tokens, provisions.rows, headers_of(plan, provisions, 0)) == ((), (), ())


def test_headers_are_filled_in_for_each_user(tmp_path):
    (tmp_path / "users.csv").write_text("tenant\na\nb\n")
    headers = {"X-Tenant": "${tenant}-${user}", "Authorization": "Basic ${env:KEY_OF_IT}"}
    plan = plan_of(data="users.csv", headers=headers)
    provisions = provided(plan, "the-token-of-the-environment")
    assert headers_of(plan, provisions, 3) == (("X-Tenant", "b-3"), ("Authorization", f"Basic {SECRET}"))


def test_what_is_provided_goes_to_another_process_whole_and_shows_no_secret(tmp_path):
    (tmp_path / "it.bin").write_bytes(b"\0\1")
    plan = plan_of(
        headers={"X-Key": "${env:KEY_OF_IT}"},
        messages=[{"name": "a", "binary_file": "it.bin"}],
        reply={"match": "order"},
    )
    provisions = provided(plan, SECRET)
    (tmp_path / "it.bin").unlink()
    copy = pickle.loads(pickle.dumps(provisions))
    assert headers_of(plan, copy, 0) == (("X-Key", SECRET), ("Authorization", f"Bearer {SECRET}"))
    assert script_of(plan, "run", copy).compose(0, 1, "m") == (0, b"\0\1", True)
    assert SECRET not in repr(provisions)


def test_an_empty_provision_is_nobodys():
    assert headers_of(plan_of(), Provisions(), 0) == ()


BAD = {
    "message that is a device": Bad(
        {"messages": [{"name": "a", "binary_file": "/dev/zero"}], "reply": {"match": "order"}},
        ["messages[0].binary_file = '/dev/zero'", "it is a device and not a file"],
    ),
    "message that is too large": Bad(
        {"messages": [{"name": "a", "binary_file": "large.csv"}], "reply": {"match": "order"}},
        ["messages[0].binary_file = 'large.csv'", "is larger than 16 MiB"],
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
    "message that cannot be said": Bad({"message": "${q}"}, ["message = '${q}'", "no such placeholder"]),
    "predicate that cannot be imported": Bad(
        {"reply": {"match": "predicate", "predicate": "no_such_module:f"}}, ["reply.predicate"]
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_told_before_any_load(case):
    refused(BAD[case])
