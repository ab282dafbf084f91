"""``nightbench ack``: what is said of a night, about which metrics, by whom and why."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime

import pytest
from cli.storing import LAST, P95, night, run

from nightbench.cli import run_command
from nightbench.history.store import HistoryStore

WHY = ["--why", "answers are longer"]


def said(stored):
    return [
        (mark.kind, mark.suite, mark.tier, mark.night_id, mark.metrics)
        for mark in HistoryStore(stored).marks()
    ]


def test_accepting_a_metric_begins_its_epoch(own, ran):
    out = ran("ack", "accept", run(LAST, block=2), P95, *WHY, "--who", "anna")
    assert said(own) == [("accept", "websocket", "full", night(LAST), (P95,))]
    mark = HistoryStore(own).marks()[0]
    assert (mark.run_id, mark.who, mark.why) == (run(LAST, block=2), "anna", "answers are longer")
    assert "anna: answers are longer" in out
    assert "stays flagged" not in out


def test_a_night_stands_for_the_suites_that_have_a_regression(own, document):
    found = document("ack", "accept", "last", *WHY)
    assert said(own) == [("accept", "websocket", "full", night(LAST), (P95,))]
    assert found["marks"][0]["who"] == getpass.getuser()


def test_a_night_stands_for_what_a_flag_names(own, ran):
    ran("ack", "invalid", "last~1", "--tier", "full", *WHY)
    assert sorted(said(own)) == [
        ("invalid", "database", "full", night(LAST - 1), ()),
        ("invalid", "websocket", "full", night(LAST - 1), ()),
    ]


def test_a_night_without_a_regression_is_accepted_and_that_is_told(own, ran):
    out = " ".join(ran("ack", "accept", run(1), P95, *WHY).split())
    assert f"full websocket of {night(1)} had no regression: a new epoch begins with it all the same" in out
    assert said(own) == [("accept", "websocket", "full", night(1), (P95,))]


def test_accepting_another_metric_leaves_the_night_flagged(own, ran):
    out = " ".join(ran("ack", "accept", run(LAST), "message.throughput", *WHY).split())
    assert f"stays flagged: {P95} is not accepted" in out


def test_patterns_go_to_the_suites_that_have_such_metrics(own, ran):
    ran("ack", "mute", "last", "query.*", "message.*", "--tier", "full", "--until", "2099-12-24", *WHY)
    assert sorted(said(own)) == [
        ("mute", "database", "full", night(LAST), ("query.*",)),
        ("mute", "websocket", "full", night(LAST), ("message.*",)),
    ]
    assert HistoryStore(own).marks()[0].until == datetime(2099, 12, 24, tzinfo=UTC)


def test_a_name_with_brackets_is_that_name(own, ran):
    ran("ack", "accept", run(LAST, "database"), "query[profile].execute_time.p95", *WHY)
    assert said(own)[0][-1] == ("query[profile].execute_time.p95",)


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (
            ["accept", "last", "message.respnse_time.p95", *WHY],
            ["METRIC", "message.respnse_time.p95", f"did you mean {P95}"],
        ),
        (["accept", run(LAST, "database"), P95, *WHY], ["METRIC", "no such metric in full database"]),
        (["accept", "last", "nothing", *WHY], ["METRIC = 'nothing'", "history show"]),
        (["accept", "last", P95], ["--why"]),
        (["accept", "last", P95, "--why", ""], ["--why"]),
        (["accept", "last", P95, *WHY, "--who", " "], ["--who"]),
        (["accept", "nowhere", P95, *WHY], ["RUN = 'nowhere'"]),
        (["accept", "last:2", P95, *WHY], ["RUN = 'last:2'", "is 2 nights"]),
        (["accept", "2026-11-25..2026-11-27", P95, *WHY], ["is 3 nights"]),
        (["accept", "last~1", *WHY], ["no suite and tier of it has a regression", "--tier"]),
        (["accept", run(LAST, role="rerun"), *WHY], ["is of a rerun"]),
        (["accept", "baseline", *WHY], ["RUN = 'baseline'"]),
        (["mute", "last", P95, *WHY], ["--until"]),
        (
            ["mute", "last", P95, "--until", "2020-01-01", *WHY],
            ["--until = '2020-01-01'", "not in the future"],
        ),
        (["mute", "last", P95, "--until", "soon", *WHY], ["--until = 'soon'", "is no date"]),
        (
            ["mute", "last", "--until", "2099-01-01", *WHY],
            ["METRIC: which metrics has to be said; '*' for all"],
        ),
        (["invalid", "last", "nothing", *WHY], ["METRIC = 'nothing'"]),
        (["forgive", "last"], ["ack = 'forgive'", "accept, mute or invalid"]),
        (["acept", "last", *WHY], ["ack = 'acept'", "did you mean accept?"]),
        (["last", *WHY], ["ack = 'last': first say what it is", "`nightbench ack accept last --why …`"]),
        (["postgresql://u:hunter2@h/d"], ["ack = "]),
    ],
)
def test_bad_input_is_told_in_one_line_and_nothing_is_said(stored, refused, command, names):
    refused(["ack", *command], {}, "", names)
    assert said(stored) == []


def test_a_secret_is_told_nowhere(stored, refused):
    refused(["ack", "accept", "postgresql://u:hunter2@h/d", *WHY], {}, "", ["RUN"])


def test_acknowledging_in_an_empty_history_is_an_error(refused):
    refused(["ack", "accept", "last", *WHY], {}, "", ["nothing is stored yet"])


def test_without_a_word_it_tells_what_there_is(clean_settings, ran):
    out = ran("ack")
    assert out.startswith("Usage: nightbench ack COMMAND")
    assert "accept" in out


@pytest.mark.parametrize("command", ["ack accept", "compare"])
def test_a_pattern_in_the_help_has_its_asterisk(command, clean_settings, capsys):
    assert run_command([*command.split(), "--help"]) == 0
    out, _ = capsys.readouterr()
    assert "such as 'query.*'" in " ".join(out.replace("│", " ").split())
    assert "''" not in out
