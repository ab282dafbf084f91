"""Between which instants each time lies, and what takes part in which percentile."""

from dataclasses import dataclass

import pytest

from nightbench.load.health import Health
from nightbench.load.histogram import Histogram
from nightbench.load.ledger import Outcome
from nightbench.websocket.conversation import Request
from nightbench.websocket.metrics import starvation
from nightbench.websocket.records import (
    CONNECTION,
    GREETING,
    GREETING_KIND,
    MESSAGE,
    RECONNECTION,
    Records,
)

MS = 1_000_000
HEALTHY = Health(
    cpu_seconds=0.1,
    wall_seconds=10.0,
    tick_lag=Histogram(),
    gc_pause_max_ms=0.0,
    open_files=9,
    memory_mib=50.0,
)


@dataclass
class Opened:
    """When a connection came how far."""

    tcp_at: int
    tls_at: int
    opened_at: int


def totals_of(records):
    records.fold(0)
    return {name: total for times in records.times() for name, total in times.totals.items()}


def message(*, due=0, sent=10, counted=True):
    """A message whose reply has come in parts at 30, 40 and 70 ms."""
    request = Request("x", 0, counted, due * MS, sent * MS, 5000 * MS)
    request.first, request.previous, request.latest = 30 * MS, 40 * MS, 70 * MS
    return request


MESSAGE_TIMES = {
    "message.response_time": 100,
    "message.service_time": 90,
    "message.send_lag": 10,
    "message.first_chunk_time": 20,
    "message.last_chunk_time": 60,
    "message.chunk_gap": 30,
    "message[question].response_time": 100,
    "message[question].service_time": 90,
}


def test_each_time_of_a_message_lies_between_two_instants_of_its_own():
    records = Records(("question", "ping"), start=0)
    request = message()
    records.message_due(0, counted=True)
    records.chunk_arrived(request)
    records.message_ended(request, 100 * MS, Outcome.OK)
    means = {name: total.mean_ms for name, total in totals_of(records).items() if total.total}
    assert means == MESSAGE_TIMES


@pytest.mark.parametrize("operation", [CONNECTION, RECONNECTION])
def test_the_time_of_a_connection_is_split_into_tcp_tls_and_upgrade(operation):
    records = Records(("chat",), start=0)
    records.connection_due(operation)
    records.connection_opened(operation, Opened(14 * MS, 34 * MS, 74 * MS), due=0, sent=10 * MS)
    means = {name: total.mean_ms for name, total in totals_of(records).items() if total.total}
    assert means == {
        f"{operation}.send_lag": 10,
        f"{operation}.tcp_time": 4,
        f"{operation}.tls_time": 20,
        f"{operation}.upgrade_time": 40,
        f"{operation}.time": 64,
    }


def test_where_there_is_no_tls_there_is_no_time_that_it_took():
    records = Records(("chat",), start=0)
    records.connection_due(CONNECTION)
    records.connection_opened(CONNECTION, Opened(14 * MS, 14 * MS, 74 * MS), due=0, sent=10 * MS)
    totals = totals_of(records)
    assert totals["connection.tls_time"].total == 0
    assert totals["connection.upgrade_time"].mean_ms == 60


def test_what_a_user_never_got_takes_part_in_the_percentiles_of_its_kind_too():
    records = Records(("question", "ping"), start=0)
    for _ in range(2):
        records.message_due(0, counted=True)
    records.message_skipped(0, "in_flight_limit", due=0, counted=True)
    records.message_ended(message(), 100 * MS, Outcome.TIMED_OUT, "timeout")
    totals = totals_of(records)
    for name in ("message.response_time", "message[question].response_time"):
        assert (totals[name].n, totals[name].beyond, totals[name].min_ms) == (1, 1, 100)
    assert totals["message[ping].response_time"].total == 0


@pytest.mark.parametrize("operation", [CONNECTION, RECONNECTION])
def test_a_handshake_that_timed_out_is_connection_time_and_a_refused_one_is_not(operation):
    records = Records(("chat",), start=0)
    for error, now in (("connect_timeout", 300), ("handshake_503", 20)):
        records.connection_due(operation)
        records.connection_failed(operation, error, due=0, sent=10 * MS, now=now * MS)
    totals, account = totals_of(records), records.counted[operation]
    assert (totals[f"{operation}.time"].total, totals[f"{operation}.time"].mean_ms) == (1, 290)
    assert (totals[f"{operation}.failure_time"].total, totals[f"{operation}.failure_time"].mean_ms) == (1, 10)
    assert (account.timed_out, account.failed) == (1, 1)


def test_replies_of_the_warm_up_leave_no_trace_in_what_is_measured():
    records = Records(("question", "ping"), start=0)
    for outcome, error in ((Outcome.OK, None), (Outcome.FAILED, "x"), (Outcome.TIMED_OUT, "timeout")):
        request = message(counted=False)
        records.message_due(0, counted=False)
        records.chunk_arrived(request)
        records.message_ended(request, 100 * MS, outcome, error)
    assert not any(total.total for total in totals_of(records).values())
    assert (records.chunks.n, records.received.n, records.last_ok) == (0, 0, 0)
    assert records.counted[MESSAGE].scheduled == 0


@pytest.mark.parametrize(
    ("outcome", "error", "quantity"),
    [
        (Outcome.OK, None, "greeting.time"),
        (Outcome.TIMED_OUT, "timeout", "greeting.time"),
        (Outcome.FAILED, "reply_error", "greeting.failure_time"),
    ],
)
def test_a_greeting_has_a_time_and_an_account_of_its_own(outcome, error, quantity):
    records, request = Records(("question", "ping"), start=0), message()
    request.kind = GREETING_KIND
    records.message_due(GREETING_KIND, counted=True)
    records.chunk_arrived(request)
    records.message_ended(request, 100 * MS, outcome, error)
    assert {name: total.mean_ms for name, total in totals_of(records).items() if total.total} == {
        quantity: 90
    }
    assert records.counted[GREETING].scheduled == 1
    assert records.counted[MESSAGE].scheduled == records.chunks.n == records.last_ok == 0


@pytest.mark.parametrize(("sends", "connects"), [(60, 0), (0, 60), (60, 60), (0, 0)])
def test_a_generator_that_was_late_to_send_or_to_connect_is_starved(sends, connects):
    records = Records(("chat",), start=0)
    for _ in range(100):
        records.message_due(0, counted=True)
        records.message_ended(message(due=-sends, sent=0), 100 * MS, Outcome.OK)
        records.connection_due(CONNECTION)
        opened = Opened(2 * MS, 2 * MS, 3 * MS)
        records.connection_opened(CONNECTION, opened, due=-connects * MS, sent=MS)
    records.fold(0)
    reasons = starvation(HEALTHY, records.times())
    late = [what for what, by in (("connects", connects), ("sends", sends)) if by]
    assert [reason.split(" were late by ")[0] for reason in reasons] == late
