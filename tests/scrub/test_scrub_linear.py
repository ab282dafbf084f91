"""Hostile text costs time in proportion to its length, and of a long one no more than of a bounded part."""

import time

import pytest
from hostile import PIECES, RUNS

from nightbench.scrub import LONGEST, scrub

_LOGGED = (
    *(
        "SET a:b '",
        "AUTH default ",
        "$2b$12$",
        "pbkdf2_a$",
        "SCRAM-SHA-256$1:aaaaaaaa",
        "/services/T1234567/B1234567/",
        "%5B1:",
    ),
    *(
        "[cached since 1s ago] (",
        "engine.Engine ",
        "loc msg 'input':",
        "'input': }  ",
        "name=password\\r\\n",
        "'tokens': {'",
        "websockets. GET /?a",
    ),
)
"""Beginnings of what frameworks log."""


@pytest.mark.parametrize(("begin", "piece"), [*(("", piece) for piece in (*PIECES, *_LOGGED)), *RUNS])
def test_the_time_of_hostile_text_grows_with_its_length(begin, piece):
    def seconds(length):
        text = (begin + piece * (length // len(piece) + 1))[: length - 5] + "@h/\"'"
        began = time.thread_time()  # other tests may have left threads that work
        scrub(text)
        return time.thread_time() - began

    small = max(seconds(LONGEST // 32), 0.001)
    # eight times the text; quadratic would be 64 times. A second look, since a collection may have come between
    assert any(seconds(LONGEST // 4) < 8 * 4 * small for _ in range(3))


def test_of_a_long_text_the_beginning_and_the_end_are_kept():
    text = "begin\n" + "filling line\n" * 100_000 + "end"
    scrubbed = scrub(text)
    assert scrubbed.startswith("begin\n")
    assert scrubbed.endswith("\nend")
    assert "characters left out" in scrubbed
    assert len(scrubbed) <= LONGEST


@pytest.mark.parametrize("place", range(-40, 41, 4))
def test_a_cut_shows_no_part_of_a_secret(place):
    for start in (LONGEST - 6_144 + place, 100_000 - 6_144 + place):
        text = ("x" * (start - 1) + " password=hunter2hunter2hunter2 ").ljust(100_000, "y")
        assert "hunter2" not in scrub(text)


def test_a_megabyte_of_hostile_text_is_scrubbed():
    text = "".join(PIECES) * 2_000
    assert len(text) > 1_000_000
    assert "hunter2" not in scrub(text + "\npostgresql://u:hunter2@h/d")


def test_lone_surrogates_are_replaced():
    assert scrub("a\ud800b").encode() == "a\ufffdb".encode()
