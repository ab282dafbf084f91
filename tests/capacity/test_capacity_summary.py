from __future__ import annotations

import io
from itertools import pairwise

import pytest
from capacity.searched import NOTHING, STEPS, capacity, found
from rich.console import Console

from nightbench.capacity.search import Step
from nightbench.capacity.summary import bars_of, print_capacity


def printed(what, encoding="utf-8") -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    print_capacity(Console(file=file, width=80), what)
    file.flush()
    return file.buffer.getvalue().decode(encoding)


LONG = found(
    capacity(48_000, 50_000),
    tuple(Step(load, "missed", 99.0, ("x" * 300,), (), 12_345.6, 12.345) for load in (48_000, 50_000)),
)


@pytest.mark.parametrize("what", [found(), NOTHING, LONG, found(suite="database")])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_line_is_longer_than_80_columns(what, encoding):
    assert max(len(line) for line in printed(what, encoding).splitlines()) <= 80


def test_a_load_has_a_row_with_its_votes_and_a_bar():
    lines = printed(found()).splitlines()
    row = next(line for line in lines if " 50 " in line)
    assert row.split() == ["✓", "50", "1", "of", "1", "102.3", "ms", "100.0", "%", "█"]
    row = next(line for line in lines if " 320 " in line and "of" in line)
    assert row.split()[:6] == ["✗", "320", "0", "of", "1", "1"]
    assert row.endswith("█" * 12)


def test_it_says_below_each_load_that_was_not_kept_why():
    """A load whose P95 is well may be missed for what has no column."""
    refused = "connection.success_rate > 99 % missed: 50.00 %"
    lines = printed(
        found(steps=(*STEPS, Step(400, "missed", 24.0, (refused,), (), 12.0, 100.0)))
    ).splitlines()
    below = {line.split()[1]: after.strip() for line, after in pairwise(lines) if " of " in line}
    assert "missed: 2,412 ms" in below["320"]
    assert below["400"] == refused


@pytest.mark.parametrize(("suite", "head"), [("websocket", "message success"), ("database", "query success")])
def test_the_columns_say_what_they_are_of(suite, head):
    title = next(line for line in printed(found(suite=suite)).splitlines() if line.startswith("Load"))
    assert head in title
    assert title.endswith("P95 (log)")


def test_bars_of_like_values_are_alike_and_of_unlike_ones_are_not():
    assert [len(bar.rstrip()) for bar in bars_of([40.0, 42.0, None, 4000.0], "#")] == [1, 1, 0, 12]
    assert {len(bar) for bar in bars_of([40.0, None, 4000.0], "#")} == {12}
