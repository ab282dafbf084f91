from __future__ import annotations

import re
from dataclasses import replace

import pytest
from capacity.searched import NOTHING, STEPS, capacity, found

from nightbench.capacity.answer import answer_of, exit_code_of, step_line

LEAKY = replace(STEPS[2], broke=("query.leaked_rows",))


@pytest.mark.parametrize(
    ("what", "says", "code"),
    [
        (found(), r"310 users kept the targets, 320 did not; the knee lies between \d+ and \d+ \(95 %\)$", 0),
        (found(capacity(310, None)), "at least 310 users kept the targets$", 0),
        (found(capacity(None, 1)), "not even 1 user kept the targets$", 1),
        (found(capacity(310, 320, confirmed=False)), r"320 did not; .*\(not confirmed\)$", 3),
        (found(capacity(None, 20, confirmed=False)), r"not even 20 users .*\(not confirmed\)$", 3),
        (found(capacity(None, None, confirmed=False)), r"nothing could be measured \(not confirmed\)$", 3),
        (found(interrupted=True), r"310 users kept the targets, 320 did not; .*\(interrupted\)$", 3),
        (NOTHING, r"nothing could be measured \(interrupted\)$", 3),
        (found(steps=(*STEPS, LEAKY)), r"\(rows of other tenants were read, which no load excuses\)$", 1),
        (found(steps=(*STEPS, LEAKY), interrupted=True), r"\(interrupted; rows of other tenants", 1),
    ],
)
def test_the_answer_is_one_sentence_and_an_exit_code(what, says, code):
    assert re.search(f"^websocket: .*{says}", answer_of(what)), answer_of(what)
    assert exit_code_of(what) == code


def test_a_step_that_could_not_be_kept_makes_a_pass_none():
    assert exit_code_of(found(), ["the disk is full"]) == 3
    assert exit_code_of(found(capacity(None, 1)), ["the disk is full"]) == 1


def test_a_step_is_a_line_of_a_log():
    assert step_line("websocket", STEPS[2]) == (
        "websocket: 320 users (bisect): missed, in 24 s: message.response_time.p95 < 2,000 ms missed: 2,412 ms"
    )
    assert step_line("database", STEPS[0]) == "database: 50 queries/s (step up): met, in 24 s"
