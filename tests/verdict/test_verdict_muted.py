"""A muted line says who muted it, until when and why."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
from builders import websocket_measurement

from nightbench.history.marks import new_mark
from nightbench.history.tidy import rows_of
from nightbench.tier_verdict import Earlier, judge_tier
from nightbench.verdict import Policy

P95 = "message.response_time.p95"
NIGHTS = 12


def test_a_muted_line_ends_with_who_muted_it_until_when_and_why() -> None:
    nights = [
        websocket_measurement(number=number, median_ms=20 + number % 3 / 10) for number in range(NIGHTS)
    ]
    tonight = websocket_measurement(number=NIGHTS, median_ms=30.0)
    again = websocket_measurement(number=NIGHTS, median_ms=30.0, role="rerun")
    mute = new_mark(
        "mute",
        environment=tonight.environment,
        suite="websocket",
        tier="full",
        run_id="run",
        night_id=nights[-1].night_id,
        metrics=[P95],
        until=datetime(2099, 12, 24, tzinfo=UTC),
        who="ada",
        why="the index comes with 4.3",
    )
    lines = pd.DataFrame(columns=["night", "suite", "tier", "metric", "state", "layer", "since", "judged_at"])
    verdict = judge_tier(Earlier(rows_of(*nights), lines, [mute]), [tonight, again], Policy())
    said = {line.metric: line for line in verdict.lines}
    assert said[P95].state == "muted"
    assert said[P95].why.startswith("1 repetition tonight: +")
    assert said[P95].why.endswith("; muted by ada until 2099-12-24: the index comes with 4.3")
    assert verdict.regressions
    assert not any("muted" in line.why for line in verdict.regressions)
