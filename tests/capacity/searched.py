"""What a search found, for the tests of everything that is said of it."""

from __future__ import annotations

from nightbench.capacity.finding import INTERRUPTED, Found
from nightbench.capacity.search import Capacity, Step
from nightbench.tiers import TIERS

P95 = "message.response_time.p95"
STEPS = (
    Step(50, "met", 24.0, (), (), 102.3, 100.0, 25.0, "run-1", "step up"),
    Step(310, "met", 24.2, (), (), 1912.3, 100.0, 155.0, "run-2", "step up"),
    Step(
        320,
        "missed",
        24.4,
        (f"{P95} < 2,000 ms missed: 2,412 ms",),
        (P95,),
        2412.0,
        99.7,
        158.0,
        "run-3",
        "bisect",
    ),
    Step(320, "invalid", 25.0, ("<script>alert(1)</script> | saturated",), why="confirm"),
)
CLOSE = "the highest load that was kept and the lowest that was not are as close as asked for"
ANSWER = Capacity(310, 320, confirmed=True, ended=CLOSE)


def found(answer=ANSWER, steps=STEPS, *, suite="websocket", interrupted=False) -> Found:
    """A search of the full tier."""
    plan = TIERS["full"].websocket if suite == "websocket" else TIERS["full"].database
    return Found(suite, "full", plan.promises, answer, steps, interrupted)


def capacity(load, below, *, confirmed=True, ended=CLOSE) -> Capacity:
    return Capacity(load, below, confirmed, ended)


NOTHING = found(capacity(None, None, confirmed=False, ended=INTERRUPTED), (), interrupted=True)
