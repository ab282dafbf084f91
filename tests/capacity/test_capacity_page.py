from __future__ import annotations

import pytest

from nightbench.capacity.finding import Found
from nightbench.capacity.page import answer_of, capacity_page
from nightbench.capacity.search import Capacity, Step

STEPS = (
    Step(310, "met", 24.2, p95_ms=1912.3, success=100.0),
    Step(
        320,
        "missed",
        24.4,
        ("message.response_time.p95 < 2,000 ms missed: 2,412 ms",),
        ("message.response_time.p95",),
        2412.0,
        99.7,
    ),
    Step(320, "invalid", 25.0, ("<script>alert(1)</script> | saturated",)),
)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Capacity(310, 320, True, "done"), "websocket: 310 users kept the targets, 320 did not"),
        (Capacity(310, None, True, "done"), "websocket: at least 310 users kept the targets"),
        (
            Capacity(310, 320, False, "time"),
            "websocket: 310 users kept the targets, 320 did not (not confirmed)",
        ),
        (Capacity(None, 1, True, "done"), "websocket: 1 user did not keep the targets"),
        (Capacity(None, None, False, "done"), "websocket: nothing could be measured (not confirmed)"),
        (None, "websocket: interrupted before there was an answer"),
    ],
)
def test_the_answer_is_one_sentence(answer, says):
    assert answer_of(Found("websocket", answer, STEPS)) == says


def test_the_page_has_each_step_and_what_spoke_against_it():
    text = capacity_page(Found("websocket", Capacity(310, 320, True, "close as asked for"), STEPS))
    assert "| 1 | 310 | ✓ kept | 1,912 ms | 100.0 % |  | 24 |" in text
    assert "| 2 | 320 | ✗ missed | 2,412 ms | 99.700 % | `message.response_time.p95` | 24 |" in text
    assert "| 3 | 320 | ? invalid | – | – |  | 25 |" in text
    assert "missed: 2,412 ms" in text
    assert "close as asked for" in text


def test_what_others_say_is_no_markup():
    text = capacity_page(Found("database", None, STEPS))
    assert "<script>" not in text
    assert r"\<script\>alert(1)\</script\> \| saturated" in text


def test_a_search_that_tried_nothing_has_a_page():
    assert capacity_page(Found("database", None, ())).startswith("# database: interrupted")
