"""What is held back or late does not vanish from the times, and does not stretch them either."""

import asyncio
import json

import numpy as np
from servers import answer, chat_server
from test_websocket_generator import load, metric

from nightbench.load.histogram import decode_counts
from nightbench.load.ledger import Outcome
from nightbench.websocket.conversation import Request
from nightbench.websocket.records import Records


def test_a_stall_is_in_the_percentiles_although_the_sends_were_skipped():
    async def stalls_once(websocket):
        async for text in websocket:
            if json.loads(text)["id"].endswith("-90"):
                await asyncio.sleep(0.8)
            await answer(websocket, text)

    with chat_server(stalls_once) as url:
        result = load(url, users=1, rate=100, duration=5, max_in_flight=5)
    message = result.counted["message"]
    assert message.scheduled == 500
    assert 25 < message.skipped == message.errors["in_flight_limit"]  # more than 5 %
    for statistic in ("p95", "p99", "max"):
        assert metric(result, f"message.response_time.{statistic}") is None
    for known in ("response_time.p50", "response_time.mean", "service_time.p95", "send_lag.p99"):
        assert metric(result, f"message.{known}") is not None
    windows = [
        window
        for times in result.times
        for window in times.windows()
        if (window.operation, window.quantity) == ("message", "response_time")
    ]
    assert sum(window.n for window in windows) == message.scheduled
    assert np.sum([decode_counts(window.histogram) for window in windows]) == message.ok


def test_what_is_skipped_in_the_warm_up_does_not_count():
    records = Records(("chat",), start=0)
    for counted in (True, False, False):
        records.message_due(0, counted=counted)
        records.message_skipped(0, "in_flight_limit", due=5, counted=counted)
    records.fold(0)
    totals = {name: total for times in records.times() for name, total in times.totals.items()}
    assert totals["message.response_time"].beyond == records.counted["message"].skipped == 1
    assert totals["message.service_time"].total == totals["message.send_lag"].total == 0


def test_only_what_ended_well_is_time_in_which_something_was_done():
    records = Records(("chat",), start=0)
    ends = [(Outcome.OK, None), (Outcome.TIMED_OUT, "timeout"), (Outcome.FAILED, "close_1011")]
    for number, (outcome, error) in enumerate(ends, start=1):
        records.message_due(0, counted=True)
        request = Request("x", 0, True, 1, 1, 100)
        request.first = request.latest = 5
        records.message_ended(request, 10 * number, outcome, error)
    assert records.last_ok == 10
