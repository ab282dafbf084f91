"""A missed target in words: its value has the digits of a table, and more where these would hide that it was missed."""

from __future__ import annotations

import pytest

from nightbench.report.promises import missed_in_words
from nightbench.verdict.targets import TargetResult


@pytest.mark.parametrize(
    ("op", "limit", "value", "unit", "said"),
    [
        (">", 99.0, 71.428571, "%", "> 99 % missed: 71.43 %"),
        ("<", 2000.0, 2345.6, "ms", "< 2,000 ms missed: 2,346 ms"),
        ("<", 2000.0, 2000.4, "ms", "< 2,000 ms missed: 2,000.4 ms"),
        ("==", 0.0, 3.0, "1", "== 0 missed: 3"),
        ("<", 2000.0, None, "ms", "< 2,000 ms missed: no value"),
    ],
)
def test_a_missed_value_never_looks_kept(op, limit, value, unit, said):
    target = TargetResult("message.response_time.p95", op, limit, value, met=False)
    assert missed_in_words(target, unit) == f"message.response_time.p95 {said}"
