"""Verdicts as a night gives them, for the tests of what a reader sees."""

from __future__ import annotations

from dataclasses import replace

from nightbench.verdict import Change, ChangePoint, LeftOut, Line, Verdict
from nightbench.verdict.judgement import LineState


def line(metric: str, state: LineState, *, suite: str = "websocket", **changes) -> Line:
    """A line over 20 nights, of a metric of 35.1 that went up by 17.4 %."""
    compared = Line(
        suite=suite,
        tier="full",
        metric=metric,
        state=state,
        higher_is_worse=True,
        gates=True,
        floor=0.05,
        value=41.2,
        baseline=35.1,
        nights=20,
        effect=0.1738,
        low=0.121,
        high=0.2301,
        p=0.00002,
        p_adjusted=0.00041,
        noise=0.031,
        detectable=0.0823,
    )
    return replace(compared, **changes)


def steady(metric: str, effect: float = 0.004, *, suite: str = "database", **changes) -> Line:
    """A line of which nothing has to be said but its change."""
    return line(metric, "steady", suite=suite, effect=effect, low=-0.02, high=0.03, p_adjusted=1.0, **changes)


def changed(metric: str, effect: float, *, age: int = 7, group: int = 0) -> Change:
    """A lasting change that began `age` nights before the night of the builders' run 0."""
    night = f"202611{24 - age:02}T031500Z-nightly-000000"
    point = ChangePoint(index=40, effect=effect, p=3e-6, worse=effect > 0)
    return Change("websocket", "full", metric, night, age, point, group)


NOTHING_EARLIER = Verdict(notes=("no baseline yet: 0 comparable nights, 5 make one; targets only",))
QUIET = Verdict(
    lines=(
        steady("query.response_time.p50", 0.031),
        steady("query.response_time.p95", -0.012, nights=19),
        steady("query.success_rate", -0.0006, detectable=0.0521),
        steady("query.throughput", -0.002),
        line(
            "query[conversation_history].execute_time.p95",
            "improved",
            suite="database",
            value=6.78,
            baseline=9.0,
            effect=-0.2467,
            low=-0.29,
            high=-0.201,
            p_adjusted=0.00001,
        ),
        line("query.response_time.p99", "too noisy", suite="database", noise=0.138, gates=False),
        line("pool.size", "informs", suite="database", gates=False),
        line("generator.cpu_seconds", "informs", suite="database", gates=False),
    ),
    left_out=(
        LeftOut("database", "full", 4, "another plan"),
        LeftOut("database", "full", 1, "flagged: a regression that nobody has acknowledged"),
    ),
)
WORSE = Verdict(
    lines=(
        line("connection.time.p95", "noisy", value=5.6, baseline=4.96, effect=0.129, low=0.07, high=0.19,
             why="3 repetitions tonight: +1.0 %"),
        line("message.response_time.p50", "suspect", p_adjusted=0.0087, why="not repeated"),
        line("message.response_time.p95", "regression", layer=2, why="3 repetitions tonight: +16.9 %"),
        line("message.first_chunk_time.p95", "regression", layer=3, p_adjusted=0.0000123,
             why="the median of the last 3 nights is +15.2 % against the 19 before them"),
        line("message.throughput", "missing", value=None, effect=None, low=None, high=None, p=None,
             p_adjusted=None, higher_is_worse=False, baseline=49.75, detectable=-0.061,
             why="no value tonight"),
        line("message.service_time.p95", "muted", why="3 repetitions tonight: +16.9 %"),
        line("message[ask].response_time.p95", "provisional", nights=7),
        line("message[ping].response_time.p95", "no baseline", nights=2, why="2 nights so far; 5 make a baseline", baseline=None, effect=None, low=None,
             high=None, p=None, p_adjusted=None, noise=None, detectable=None),
        steady("connection.success_rate", 0.0, suite="websocket"),
    ),
    changes=(
        changed("message.response_time.p95", 0.12),
        changed("message.response_time.p50", 0.10),
        changed("message.service_time.p95", 0.14),
        changed("connection.time.p95", -0.31, age=15, group=1),
    ),
    notes=("provisional: 7 comparable nights, a regression needs 10",),
)  # fmt: skip
