"""What two nights must share to be compared."""

from __future__ import annotations

import json
from typing import Any

import pytest
from builders import websocket_measurement

from nightbench.history.fingerprint import differences, fingerprint, fingerprint_of_row, text_of
from nightbench.plan import plan_hash

HOST = {
    "cpu": "AMD EPYC",
    "cores": 2,
    "kernel": "6.18.44-fc-v782",
    "python": "CPython 3.11.7",
    "memory_mib": 8000,
}
SUBJECT = {
    "kind": "external",
    "address": "postgresql://app@db/pam",
    "server": {"server_version": "18.6 (Debian)"},
}


def of(**changes: Any) -> dict[str, str]:
    return fingerprint(websocket_measurement(**{"host": HOST, "subject": SUBJECT, **changes}))


def test_its_parts() -> None:
    assert of() == {
        "cpu": "AMD EPYC",
        "cores": "2",
        "kernel": "6.18",
        "python": "CPython 3.11",
        "server": "18",
        "plan": plan_hash(websocket_measurement().plan),
        "subject": "postgresql://app@db/pam",
    }


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        pytest.param(
            {"host": HOST | {"kernel": "6.18.45-fc-v800", "python": "CPython 3.11.9"}}, [], id="patch"
        ),
        pytest.param({"host": HOST | {"memory_mib": 16000, "packages": {"a": "1"}}}, [], id="other figures"),
        pytest.param(
            {"subject": SUBJECT | {"server": {"server_version": "18.7"}}}, [], id="minor of the server"
        ),
        pytest.param({"host": HOST | {"kernel": "6.19.1"}}, ["kernel"], id="kernel"),
        pytest.param({"host": HOST | {"cores": 4, "cpu": "Xeon"}}, ["cores", "cpu"], id="machine"),
        pytest.param({"host": HOST | {"python": "CPython 3.12.1"}}, ["python"], id="python"),
        pytest.param({"subject": SUBJECT | {"server": {"server_version": "17.2"}}}, ["server"], id="server"),
        pytest.param(
            {"subject": SUBJECT | {"address": "postgresql://app@other/pam"}}, ["subject"], id="subject"
        ),
        pytest.param({"users": 7}, ["plan"], id="plan"),
        pytest.param({"host": {}}, ["cores", "cpu", "kernel", "python"], id="nothing known of the host"),
        pytest.param(
            {"subject": {"kind": "embedded"}}, ["server", "subject"], id="a server that tells nothing"
        ),
    ],
)
def test_what_makes_two_nights_different(changes: dict[str, Any], parts: list[str]) -> None:
    one, other = text_of(of()), text_of(of(**changes))
    assert differences(one, other) == parts
    assert (one == other) is (parts == [])


@pytest.mark.parametrize(
    ("version", "part"),
    [
        ("9.6.24", "9"),
        ("18beta1", "18"),
        ("PostgreSQL 17.2", "PostgreSQL 17"),
        ("devel", "devel"),
        (None, None),
    ],
)
def test_versions_of_the_server(version: str | None, part: str | None) -> None:
    assert of(subject={"server": {"server_version": version}}).get("server") == part


def test_a_row_tells_the_same_as_the_measurement() -> None:
    row = {
        "host": json.dumps(HOST),
        "subject": json.dumps(SUBJECT),
        "plan_hash": of()["plan"],
        "subject_key": "postgresql://app@db/pam",
    }
    assert fingerprint_of_row(row) == of()


@pytest.mark.parametrize("text", [None, "", "no JSON", "[1]", '{"cores": {"a": 1}}'])
def test_a_row_that_somebody_else_wrote_has_what_can_be_known(text: str | None) -> None:
    found = fingerprint_of_row({"host": text, "subject": text, "plan_hash": "abc", "subject_key": None})
    assert found["plan"] == "abc"


def test_no_secret_is_in_it() -> None:
    found = of(subject={"kind": "external", "address": "postgresql://app:hunter2@db/pam"})
    assert "hunter2" not in text_of(found)


def test_two_hosts_by_their_addresses_stay_two_subjects() -> None:
    one, other = (
        fingerprint(websocket_measurement(subject={"kind": "external", "address": f"ws://10.0.0.{n}/x"}))
        for n in (1, 2)
    )
    assert one["subject"] != other["subject"]
