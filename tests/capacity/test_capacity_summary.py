from __future__ import annotations

import io

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
    assert row.endswith("█" * 16)


def test_it_says_why_the_lowest_load_that_was_not_kept_was_not():
    steps = (*STEPS[:3], Step(400, "missed", 24.0, ("far too slow",), (), 8000.0, 90.0))
    text = printed(found(steps=steps))
    assert "missed: 2,412 ms" in text
    assert "far too slow" not in text


def test_bars_of_like_values_are_alike_and_of_unlike_ones_are_not():
    assert [len(bar.rstrip()) for bar in bars_of([40.0, 42.0, None, 4000.0], "#")] == [1, 1, 0, 16]
    assert {len(bar) for bar in bars_of([40.0, None, 4000.0], "#")} == {16}
