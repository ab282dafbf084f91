"""What a running load test shows."""

from __future__ import annotations

import io
import re

from rich.console import Console

from nightbench.load.progress import Progress
from nightbench.report.progress import progress_display

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def state(elapsed: float, phase: str = "measure", **changes) -> Progress:
    values = {
        "suite": "websocket", "phase": phase, "elapsed": elapsed, "expected": 120, "active": 200, "rate": 99.6,
        "p95_ms": 1234.5, "failed": 0,
    }  # fmt: skip
    return Progress(**{**values, **changes})


def shown(*states: Progress, terminal: bool, encoding: str = "utf-8", **options) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    console = Console(file=file, force_terminal=terminal, width=80, **options)
    with progress_display(console, label="baseline") as show:
        for each in states:
            show(each)
    return raw.getvalue().decode(encoding)


def test_plain_lines_come_every_five_seconds() -> None:
    lines = shown(*(state(second) for second in range(12)), terminal=False).splitlines()
    assert [line.split()[3] for line in lines] == ["0/120", "5/120", "10/120"]


def test_plain_lines_come_at_each_change_of_phase() -> None:
    states = [state(0, "ramp"), state(1, "warmup"), state(2), state(3), state(4, "drain")]
    lines = shown(*states, terminal=False).splitlines()
    assert [line.split()[2] for line in lines] == ["ramp", "warmup", "measure", "drain"]


def test_a_plain_line_says_all() -> None:
    line = shown(state(7, failed=3), terminal=False)
    assert line == "baseline websocket measure 7/120 s  200 users  100/s  P95 1234 ms  3 failed\n"


def test_plain_lines_hold_no_escapes() -> None:
    assert "\x1b" not in shown(state(1), state(2, "drain"), terminal=False)


def test_ascii_is_enough() -> None:
    assert shown(state(1, p95_ms=None), terminal=False, encoding="ascii").endswith("P95 -\n")


def test_a_terminal_shows_users_rate_and_p95_within_80_columns() -> None:
    text = ANSI.sub("", shown(state(7, failed=12), state(119.6, failed=12), terminal=True))
    last = text.replace("\r", "\n").rstrip().splitlines()[-1]
    assert "baseline websocket measure" in last
    assert "120/120 s 200 users 100/s P95 1234 ms 12 failed" in last
    assert len(last) <= 80


def test_both_suites_have_a_bar_of_their_own() -> None:
    text = shown(state(1), state(1, suite="database", active=1, of=10), terminal=True)
    assert "200 users" in text
    assert "1/10 busy" in text


def counted(elapsed: float, done: int, planned: int = 5000, **changes) -> Progress:
    suite = {"suite": "database", "expected": None, "operations": (done, planned), "active": 8, "of": 20}
    return state(elapsed, **{**suite, **changes})


def test_a_plan_of_so_many_operations_shows_them_beside_the_seconds() -> None:
    line = shown(counted(7, 1234), terminal=False)
    assert line == "baseline database measure 7 s  1234/5000  8/20 busy  100/s  P95 1234 ms\n"


def test_the_bar_of_so_many_operations_fills_up_with_them() -> None:
    # without colours the bar is as long as what is done
    bars = [shown(counted(7, done), terminal=True, no_color=True) for done in (0, 2500, 5000)]
    assert [max(len(run) for run in re.findall("━*", bar)) for bar in bars] == [0, 5, 10]


def test_many_operations_and_failures_stay_within_80_columns() -> None:
    text = ANSI.sub("", shown(counted(7, 41_999, 50_000, failed=12), terminal=True))
    last = text.replace("\r", "\n").rstrip().splitlines()[-1]
    assert "7 s 41k/50k 8/20 busy 100/s P95 1234 ms 12 failed" in last
    assert len(last) <= 80


def test_a_closed_pipe_does_not_end_the_measurement() -> None:
    file = io.StringIO()
    with progress_display(Console(file=file)) as show:
        file.close()
        show(state(1))
