"""``nightbench prune``: old runs go, what is pinned stays, and nothing goes unasked."""

from __future__ import annotations

import sys

import pytest
from cli.storing import LAST, night, run

from nightbench.history.store import HistoryStore


def ids(stored):
    return set(HistoryStore(stored).run_ids())


def test_a_dry_run_only_tells(stored, ran):
    before = ids(stored)
    out = ran("prune", "--keep", "4", "--dry-run")
    assert "would remove 6 runs of environment local" in out
    assert run(0) in out
    assert ids(stored) == before


def test_old_nights_go_and_pinned_ones_stay_with_the_reason(own, document, ran):
    ran("history", "pin", night(0), "--suite", "websocket", "--why", "the first of all")
    found = document("history", "prune", "--keep", "4", "--yes")
    assert set(found["kept"]) == {run(0), run(0, block=2)}
    assert "the first of all" in found["kept"][run(0)]
    assert sorted(found["removed"]) == sorted(
        [run(0, "database"), run(1), run(1, block=2), run(1, role="calibration")]
    )  # the database of the third night is invalid: with it there are four
    left = ids(own)
    assert left.isdisjoint(found["removed"])
    assert {run(0), run(LAST), run(LAST + 1, block=7)} < left


def test_what_was_kept_is_told(own, ran):
    ran("history", "pin", night(0), "--suite", "websocket", "--why", "the first of all")
    out = ran("prune", "--keep", "4", "--yes", "--suite", "websocket")
    assert "removed 3 runs" in out
    assert "kept 2 runs, old as they are" in out
    assert "pinned: the first of all" in out
    assert max(map(len, out.splitlines())) <= 80


def test_nothing_old_enough_is_no_error(stored, ran):
    assert "no run of environment local is old enough" in ran("prune", "--keep", "90")


def test_an_empty_history_is_no_error(clean_settings, ran):
    assert "no run of environment local is old enough" in ran("prune", "--keep", "1")


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("", 2), ("no", 2)])
def test_somebody_is_asked(own, monkeypatch, capsys, answer, code):
    from nightbench.cli import run_command

    class Keyboard:
        def isatty(self):
            return True

        def readline(self, *_):
            return f"{answer}\n"

    before = ids(own)
    monkeypatch.setattr(sys, "stdin", Keyboard())
    assert run_command(["prune", "--keep", "4"]) == code
    assert "Remove 6 runs of environment 'local'" in capsys.readouterr().out
    assert (ids(own) == before) == (code == 2)


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("prune", ["--keep", "--keep-days"]),
        ("prune --keep -1", ["--keep = -1"]),
        ("prune --keep-days -1 --yes", ["--keep-days = -1"]),
        ("prune --keep-days 999999999999 --yes", ["--keep-days", "from 0 to 100000"]),
        ("prune --keep some", ["--keep", "some"]),
        ("prune --keep 4", ["--yes: 6 runs would be removed and nobody can be asked", "--dry-run"]),
        ("prune --keep 4 --json -", ["--yes"]),
        ("prune --keep 4 --tier huge", ["--tier"]),
    ],
)
def test_bad_input_is_told_in_one_line_and_nothing_is_removed(stored, refused, command, names):
    before = ids(stored)
    refused(command, {}, "", names)
    assert ids(stored) == before
