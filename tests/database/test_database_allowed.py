"""Entries of the allow-list: what they name, and that a wrong one is told without its secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.allowed import Place


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("db.example.org/app", Place("db.example.org", 5432, "app")),
        ("db.example.org:6432/app", Place("db.example.org", 6432, "app")),
        ("DB.example.org/App", Place("db.example.org", 5432, "App")),
        (" 127.0.0.1:1/x ", Place("127.0.0.1", 1, "x")),
        ("[::1]/app", Place("::1", 5432, "app")),
        ("[fe80::1]:6432/app", Place("fe80::1", 6432, "app")),
        ("/var/run/postgresql/app", Place("/var/run/postgresql", 5432, "app")),
        ("/var/run/postgresql:6432/app", Place("/var/run/postgresql", 6432, "app")),
    ],
)
def test_an_entry_names_a_host_a_port_and_a_database(entry, place):
    assert Place.parse(entry) == place
    assert Place.parse(str(place)) == place


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("", "lacks a host or a database"),
        ("app", "lacks a host or a database"),
        ("host/", "lacks a host or a database"),
        ("/app", "lacks a host or a database"),
        (":5432/app", "no host that can be read"),
        ("::1/app", "no host that can be read"),
        ("[]:5432/app", "no host that can be read"),
        ("[::1]5432/app", "no host that can be read"),
        ("[[::1]/app", "no host that can be read"),
        ("[ ::1]/app", "no host that can be read"),
        ("a]:1/app", "no host that can be read"),
        ("host=db dbname=app", "lacks a host or a database"),
        ("host:port/app", "port that is no number"),
        ("host:0/app", "port that is no number"),
        ("host:65536/app", "port that is no number"),
        ("host:/app", "port that is no number"),
        ("postgresql://role:hunter2@host/app", "holds a whole DSN"),
        ("role:hunter2@host/app", "holds a whole DSN"),
    ],
)
def test_what_names_none_is_told_without_a_piece_of_it(entry, says):
    with pytest.raises(ValueError, match=says) as refused:
        Place.parse(entry)
    assert "hunter2" not in str(refused.value)


@given(st.text())
def test_any_text_is_an_entry_or_is_told(entry):
    try:
        place = Place.parse(entry)
    except ValueError as error:
        assert "an entry looks like" in str(error)  # noqa: PT017  # either way is right
    else:
        assert Place.parse(str(place)) == place
