"""``nightbench history pin`` and ``unpin``: what they change for the nights to come is said at once."""

from __future__ import annotations

import pytest
from builders import websocket_measurement
from cli.storing import LAST, night, run, save

from nightbench.cli import run_command
from nightbench.history.store import HistoryStore

WHY = ["--why", "release"]


def told(document, *words):
    return document("history", *words, *WHY)["notes"]


@pytest.mark.parametrize(
    ("nights", "consequence"),
    [
        ("2026-11-25", "full websocket: 1 night is pinned: nothing is compared, and no regression"),
        ("2026-11-24..2026-11-28", "full websocket: 5 nights are pinned: changes are shown as provisional"),
    ],
)
def test_fewer_pins_than_a_baseline_needs_are_told(own, document, nights, consequence):
    (note,) = told(document, "pin", nights, "--suite", "websocket")
    assert note.startswith(consequence)
    assert "until 10 are pinned, or none (`nightbench history unpin`)" in note


def test_what_a_baseline_needs_is_a_setting(own, document, monkeypatch):
    monkeypatch.setenv("NIGHTBENCH_VERDICT__GATING_NIGHTS", "5")
    assert told(document, "pin", "2026-11-24..2026-11-28", "--suite", "websocket") == []


def test_enough_pins_are_nothing_to_talk_about_until_one_is_taken_back(own, document):
    for number in range(LAST + 2, LAST + 7):
        save(HistoryStore(own), websocket_measurement(number=number))
    (few,) = told(document, "pin", "2026-11-24..2026-11-28", "--suite", "websocket")
    assert "5 nights are pinned" in few
    assert told(document, "pin", "last:5", "--suite", "websocket") == []
    (left,) = told(document, "unpin", "last", "--suite", "websocket")
    assert "9 nights are pinned" in left


def test_a_pinned_night_that_is_invalid_does_not_count(own, document):
    (note,) = told(document, "pin", "2026-11-25..2026-11-28", "--suite", "database")
    assert "full database: 4 nights are pinned, 3 of them valid" in note


def test_the_last_pin_that_goes_is_told_and_one_that_was_none(own, document):
    told(document, "pin", night(1), "--suite", "websocket")
    assert told(document, "unpin", night(1), night(2), "--suite", "websocket") == [
        f"full websocket of {night(2)} was not pinned",
        "full websocket: nothing is pinned any more: it is compared with the last nights again",
    ]


def test_to_unpin_nothing_tells_what_is_pinned(own, refused, ran):
    refused(["history", "unpin", *WHY], {}, "", ["RUN: which runs has to be said; nothing is pinned"])


def test_to_unpin_without_a_name_names_the_pinned(own, document, capsys):
    told(document, "pin", run(1), run(3, "database"))
    assert run_command(["history", "unpin", *WHY]) == 2
    assert f"pinned are {night(3)}, {night(1)}" in capsys.readouterr().err
    assert run_command(["history", "unpin", "--suite", "database", *WHY]) == 2
    assert capsys.readouterr().err.rstrip().endswith(f"pinned are {night(3)}")


def test_to_pin_nothing_is_an_error(refused):
    refused(["history", "pin", *WHY], {}, "", ["RUN: which runs has to be said"])
