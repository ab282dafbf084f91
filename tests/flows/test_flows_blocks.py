"""A tier of several blocks: in turns, their median counts, and what is suspect is repeated before it is told."""

from __future__ import annotations

import outboxes
from staged import interrupted, raising, slower, with_earlier_nights

from flows.in_process.engine import run_flow
from nightbench import alert_charts
from nightbench.errors import ExitCode, MeasurementError
from nightbench.history.store import HistoryStore
from nightbench.plan import TierChanges

P95 = "message.response_time.p95"
TWO = TierChanges(blocks=2)


def alert_titles(settings) -> list[str]:
    return outboxes.titles(settings.outbox_folder)


def run_roles(settings) -> list[str]:
    runs = HistoryStore(settings.results).runs()
    return [
        f"{row.role} {row.suite} {row.block}"
        for row in runs[runs["night_id"].str.contains("-quick-")].itertuples()
    ]


def test_the_blocks_of_the_suites_take_turns_and_each_is_recorded(api, settings, stages):
    outcome = run_flow("quick", settings, changes=TWO)
    assert stages.labels == [
        "night quick websocket 1",
        "night quick database 1",
        "night quick websocket 2",
        "night quick database 2",
    ]
    assert len(HistoryStore(settings.results).run_ids()) == 4
    assert [len(verdict.blocks) for verdict in outcome.verdicts] == [2, 2]


def test_an_interruption_between_blocks_keeps_those_that_were_measured(api, settings, stages):
    stages.of["quick websocket"] = lambda measurement, stop: (
        interrupted(measurement, stop) if measurement.block == 2 else measurement
    )
    outcome = run_flow("quick", settings, changes=TierChanges(blocks=3))
    assert run_roles(settings) == ["night websocket 1", "night database 1", "night websocket 2"]
    assert outcome.exit_code is ExitCode.INVALID
    assert [verdict.state for verdict in outcome.verdicts] == ["met", "met"]
    assert outcome.notes == (
        "quick database: blocks 2 and 3 of 3 not run: interrupted",
        "quick websocket: block 3 of 3 not run: interrupted",
    )


def test_a_suite_that_breaks_is_not_tried_again_and_the_other_goes_on(api, settings, stages):
    stages.of["quick websocket"] = raising(MeasurementError("no result"))
    outcome = run_flow("quick", settings, changes=TWO)
    assert run_roles(settings) == ["night database 1", "night database 2"]
    assert outcome.notes == ("quick websocket: failed: no result",)


def test_what_is_worse_and_stays_so_when_repeated_is_a_regression(api, settings, stages, monkeypatch):
    monkeypatch.setattr(alert_charts, "MOST_CHARTS", 1)  # each takes a second
    with_earlier_nights(settings.results)
    stages.of["quick websocket"] = slower

    outcome = run_flow("quick", settings, changes=TierChanges(reruns=2))

    assert stages.labels[2:] == ["rerun quick websocket 1", "rerun quick websocket 2"]
    (websocket, database) = outcome.verdicts
    assert (websocket.state, database.state) == ("regression", "met")
    assert outcome.exit_code is ExitCode.MISSED
    assert f"quick websocket: {P95} is worse than before" in alert_titles(settings)
    assert any(outboxes.charts(settings.outbox_folder).values())
    (run,) = api("flow_runs/filter", sort="START_TIME_DESC", limit=1)
    assert run["state"]["name"] == "Regression"
    stored = HistoryStore(settings.results).lines("local", suite="websocket", tier="quick")
    assert set(stored.loc[stored["metric"] == P95, "state"]) == {"regression"}
