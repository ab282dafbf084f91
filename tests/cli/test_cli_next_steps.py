"""What the summary proposes does what it says when it is pasted."""

from __future__ import annotations

import io
import shlex
from dataclasses import replace

import pytest
from builders import verdict_of, websocket_measurement
from cli.storing import LAST, P95, night, regression
from rich.console import Console

from nightbench.cli import app
from nightbench.history.store import HistoryStore
from nightbench.report import next_steps
from nightbench.report.layout import Page
from nightbench.report.next_steps import Origin, print_next_steps
from nightbench.verdict.judgement import Verdict


def proposed(results, *lines):
    verdict = verdict_of(websocket_measurement(number=LAST), Verdict(lines=lines))
    text = io.StringIO()
    print_next_steps(Page(Console(file=text, width=80)), verdict, Origin(results))
    pasted = text.getvalue().replace("\\\n", "").splitlines()
    return [shlex.split(each)[1:] for each in pasted if each.startswith("    nightbench")]


@pytest.fixture
def today(monkeypatch):
    """The stored nights may lie in the past of whoever runs this: mutes end after them."""
    monkeypatch.setattr(next_steps, "MUTED_FOR", next_steps.MUTED_FOR * 1000)


def test_what_is_proposed_finds_the_night_wherever_it_is_typed(own, today, ran, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    comparison, *acknowledged = proposed(own, regression())
    text = ran(*comparison)
    assert "P99.9" in text
    assert f"2 runs of {night(LAST)}" in text
    for words in acknowledged:
        ran(*words)
    marks = HistoryStore(own).marks()
    assert [(mark.kind, mark.suite, mark.tier, mark.night_id, mark.metrics) for mark in marks] == [
        ("accept", "websocket", "full", night(LAST), (P95,)),
        ("mute", "websocket", "full", night(LAST), (P95,)),
        ("invalid", "websocket", "full", night(LAST), ()),
    ]


def test_measuring_again_is_a_command_too(tmp_path):
    _, again = proposed(tmp_path, replace(regression(), state="suspect"))
    _, bound, _ = app.parse_args(again, exit_on_error=False, print_error=False)
    assert bound.arguments == {"tier": "full", "reruns": 3, "results": str(tmp_path)}
