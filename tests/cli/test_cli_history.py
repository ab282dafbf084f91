"""``nightbench history``: listing, showing one run whole, pins and epochs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli.storing import LAST, P95, night, run

from nightbench.cli import run_command
from nightbench.history.store import HistoryStore


def ids(document):
    return [row["run_id"] for row in document["runs"]]


def test_runs_are_listed_under_their_nights_in_80_columns(stored, ran):
    out = ran("history")
    assert night(LAST) in out
    assert out.splitlines()[0].split() == ["run", "what", "P95", "verdict"]
    (line,) = (line for line in out.splitlines() if run(LAST) in line)
    assert re.fullmatch(r"block 1 +\d+\.\d\d ms  met, 1 regression", line.partition(run(LAST))[2].strip())
    (line,) = (line for line in out.splitlines() if run(2, "database") in line)
    assert re.fullmatch(r"block 1 +\d\.\d\d ms  invalid", line.partition(run(2, "database"))[2].strip())
    assert "rerun 1" in out
    assert "A/A run 1" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "other environments: prod" in out
    assert run(LAST + 1, block=7) not in out


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--last", "2"], [run(LAST, role="rerun"), run(LAST, block=2)]),
        (["--suite", "database", "--until", "2026-11-25"], [run(0, "database"), run(1, "database")]),
        (
            ["--suite", "database", "--since", "2026-11-26", "--until", "2026-11-27", "--valid"],
            [run(3, "database")],
        ),
        (
            ["--suite", "database", "--since", "2026-11-26", "--until", "2026-11-26", "--all"],
            [run(2, "database")],
        ),
        (["--environment", "prod"], [run(LAST + 1, block=7)]),
        (["--tier", "stress"], []),
    ],
)
def test_the_list_is_filtered(stored, document, flags, expected):
    assert sorted(ids(document("history", *flags))) == sorted(expected)


def test_the_document_has_what_is_known_of_a_run(stored, document):
    row = document("history", "--suite", "websocket", "--last", "1")["runs"][0]
    assert row["environment"] == "local"
    assert row["fingerprint"]["cores"] == "2"
    assert row["regressions"] == [P95]
    assert row["marks"] == []


def test_an_empty_history_is_no_error_to_list(clean_settings, ran):
    assert "nothing is stored in results yet" in " ".join(ran("history").split())
    assert "nothing was said" in ran("history", "marks")
    assert not Path("results").exists()


def test_marks_of_other_environments_are_named(own, ran):
    ran("history", "pin", night(LAST), "--why", "the release")
    text = " ".join(ran("history", "marks", "--environment", "prod").split())
    assert text == "nothing was said of environment prod yet other environments: local; see --environment"
    assert "other environments" not in ran("history", "marks")


def test_a_file_that_cannot_be_read_is_told(own, capsys):
    torn = next((own / "runs").rglob("*.parquet"))
    torn.unlink()
    torn.write_bytes(b"PAR1")
    assert run_command(["history"]) == 0
    assert torn.name in capsys.readouterr().err


def test_one_run_is_shown_whole(own, ran):
    ran("history", "pin", run(LAST), "--why", "the slow one")
    out = ran("history", "show", run(LAST))
    for words in (
        run(LAST),
        night(LAST),
        "users 100",
        "Example CPU",
        "reply_timeout",
        "✗ regression",
        "✓ message.response_time.p95",
        "+29.0 %",
    ):
        assert words in out
    assert "the slow one" in out
    assert max(map(len, out.splitlines())) <= 80


def test_an_invalid_run_says_why(stored, ran):
    out = ran("history", "show", run(2, "database")[:-2])
    assert "full · database" in out.splitlines()[0]
    assert out.splitlines()[0].endswith("─ invalid")
    assert "the generator was late" in out


def test_the_document_of_a_run_has_its_windows_lines_and_marks(own, document, ran):
    ran("ack", "mute", run(LAST), P95, "--until", "2099-01-01", "--why", "known")
    shown = document("history", "show", run(LAST))
    assert shown["run_id"] == run(LAST)
    assert len(shown["windows"]) == 8
    assert shown["plan"]["users"] == 100
    assert shown["operations"]["message"]["errors"] == {"reply_timeout": 1, "close_1011": 1}
    assert shown["lines"][0]["state"] == "regression"
    assert shown["marks"][0]["kind"] == "mute"
    assert "NaN" not in json.dumps(shown)


@pytest.mark.parametrize(
    ("command", "names"),
    {
        "nothing like it": ("history show nowhere", ["RUN = 'nowhere'", "no run or night has this name"]),
        "several": (f"history show {run(LAST)[:-1]}", ["may be any of", run(LAST), run(LAST, block=2)]),
        "a night of several": (f"history show {night(LAST)}", ["is 3 runs", run(LAST, "database")]),
        "empty name": (["history", "show", ""], ["RUN = ''"]),
        "no such night": ("history show last~99", ["there are 6 nights in environment local"]),
        "no night there": (
            "history show last --tier stress",
            ["RUN = 'last'", "nothing of tier stress is stored yet"],
        ),
        "run of another suite": (
            f"history show {run(1)} --suite database",
            ["no run or night of suite database has this name"],
        ),
        "a list of a name": ("history last", ["history = 'last'", "`nightbench history show last`"]),
        "a command misspelt": ("history shwo last", ["history = 'shwo'", "did you mean show?"]),
        "no date": ("history --since yesterday", ["--since = 'yesterday'", "2026-11-20"]),
        "end before begin": ("history --since 2026-11-20 --until 2026-11-19", ["--until = '2026-11-19'"]),
        "no number": ("history --last 0", ["--last = 0"]),
        "no tier": ("history --tier huge", ["--tier", "huge"]),
        "pin of nothing": ("history pin --why x", ["RUN", "which runs"]),
        "pin without a reason": (f"history pin {run(1)}", ["--why"]),
        "pin with an empty reason": (["history", "pin", run(1), "--why", " "], ["--why = ' '"]),
        "pin by nobody": (["history", "pin", run(1), "--why", "x", "--who", ""], ["--who"]),
        "pin of a calibration": (
            f"history pin {run(1, role='calibration')} --why x",
            ["is of a calibration", "name a run of the night"],
        ),
        "pin of the baseline": ("history pin baseline --why x", ["RUN = 'baseline'"]),
        "epoch of several nights": ("history epoch last:2 --why x", ["is 2 nights"]),
    }.values(),
)
def test_bad_input_is_told_in_one_line(stored, refused, command, names):
    refused(command, {}, "", names)
    assert HistoryStore(stored).marks() == []


def test_showing_a_run_of_an_empty_history_is_an_error(refused):
    refused("history show last", {}, "", ["nothing is stored yet", "nightbench run quick"])


def test_a_pin_is_of_the_night_and_stays_until_it_is_taken_back(own, document, ran):
    found = document("history", "pin", "last:2", "--suite", "websocket", "--why", "release", "--who", "anna")
    assert [(mark["kind"], mark["night_id"], mark["who"]) for mark in found["marks"]] == [
        ("pin", night(LAST - 1), "anna"),
        ("pin", night(LAST), "anna"),
    ]
    listed = document("history", "--suite", "websocket", "--last", "3")
    marks = {row["run_id"]: row["marks"] for row in listed["runs"]}
    assert marks == {run(LAST): ["pinned"], run(LAST, block=2): ["pinned"], run(LAST, role="rerun"): []}

    ran("history", "unpin", night(LAST), "--suite", "websocket", "--why", "it was slow")

    listed = document("history", "--suite", "websocket", "--last", "1")
    assert listed["runs"][0]["marks"] == []


def test_an_epoch_begins_with_a_night_of_all_its_suites(own, ran):
    out = ran("history", "epoch", "2026-11-28", "--why", "moved to another machine")
    assert out.count("  epoch\n") == 2
    marks = HistoryStore(own).marks("local")
    assert {(mark.suite, mark.night_id, mark.metrics) for mark in marks} == {
        ("websocket", night(4), ()),
        ("database", night(4), ()),
    }
    assert ran("history", "marks", "--suite", "database").count("moved to another machine") == 1


def test_a_secret_in_a_reason_is_never_stored(own, ran):
    out = ran(
        "history", "pin", run(1), "--why", "postgresql://u:hunter2@h/d was slow", "--who", "token=hunter2"
    )
    kept = HistoryStore(own).marks()[0]
    assert "hunter2" not in out + kept.why + kept.who
