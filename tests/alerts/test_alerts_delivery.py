"""Delivering what waits in the outbox, against a real HTTP server that plays Sentry."""

from __future__ import annotations

import json
import socket
from collections import Counter
from pathlib import Path

import pytest
from posted import CHART, event, put
from sentry_stub import Says, serving

from nightbench.alerts.delivery import DeliveryReport, deliver
from nightbench.alerts.delivery_report import EventState
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.outbox_lock import hold
from nightbench.alerts.round import MAX_FAILURES, MAX_WAITS, Limits

LATER = {"Retry-After": "3600"}


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def told(report: DeliveryReport) -> tuple[int, int, int, int]:
    return report.delivered, report.undelivered, report.rejected, report.dropped


def test_what_the_server_took_is_gone_and_came_in_order(outbox: Outbox) -> None:
    ids = put(outbox, 3)
    with serving(200) as stub:
        report = deliver(outbox, stub.dsn)
    assert report == DeliveryReport(delivered=3, events=tuple(EventState(each, "delivered") for each in ids))
    assert outbox.pending() == []
    assert stub.ids == ids


@pytest.mark.parametrize(("status", "posted"), [(429, 1), (500, 3), (503, 3), (302, 3)])
def test_what_the_server_could_not_take_stays(outbox: Outbox, status: int, posted: int) -> None:
    ids = put(outbox, 5)
    with serving(status) as stub:
        report = deliver(outbox, stub.dsn)
    assert told(report) == (0, 5, 0, 0)
    assert str(status) in report.reasons[0]
    assert [(each.event_id, each.state) for each in report.events] == [(id_, "undelivered") for id_ in ids]
    assert all(each.reason for each in report.events)
    assert len(stub.events) == posted <= MAX_FAILURES
    assert len(outbox.pending()) == 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_what_the_server_refuses_is_set_aside_with_its_reason(outbox: Outbox, status: int) -> None:
    ids = put(outbox, 2)
    with serving(status) as stub:
        report = deliver(outbox, stub.dsn)
        assert told(report) == (0, 0, 2, 0)
        assert deliver(outbox, stub.dsn) == DeliveryReport()
    assert str(status) in report.reasons[0]
    assert stub.ids == ids
    assert [(each.path.name[-41:-9], str(status) in each.why) for each in outbox.set_aside_ones()] == [
        (id_, True) for id_ in ids
    ]


def test_what_was_set_aside_can_be_tried_again_in_its_old_order(outbox: Outbox) -> None:
    ids = put(outbox, 2)
    with serving(403, 200) as stub:
        deliver(outbox, stub.dsn)
        assert outbox.take_back() == 1
        put(outbox, 1)
        deliver(outbox, stub.dsn)
    assert stub.ids[:3] == [*ids, ids[0]]
    assert list(outbox.rejected.iterdir()) == []


def test_an_alert_that_is_too_large_goes_without_its_chart(outbox: Outbox) -> None:
    put(outbox, 1, [CHART])
    with serving(413, 200) as stub:
        report = deliver(outbox, stub.dsn)
    assert told(report) == (1, 0, 0, 0)
    assert "without its attachments" in report.reasons[0]
    assert [len(envelope.items) for envelope in stub.envelopes] == [2, 1]


def test_one_event_that_fails_does_not_hold_up_the_others(outbox: Outbox) -> None:
    ids = put(outbox, 3)
    with serving(500, 200) as stub:
        report = deliver(outbox, stub.dsn)
    assert told(report) == (2, 1, 0, 0)
    assert ids[0] in outbox.pending()[0].name


def test_the_next_run_posts_the_same_event_again(outbox: Outbox) -> None:
    put(outbox, 1, [CHART])
    with serving(500, 200) as stub:
        deliver(outbox, stub.dsn)
        assert deliver(outbox, stub.dsn).delivered == 1
    first, second = stub.envelopes
    assert first.get_event() == second.get_event()
    assert first.items[1].get_bytes() == second.items[1].get_bytes() == CHART.content


# --- a server that asks for a pause -----------------------------------------------------------------------


def test_a_short_pause_is_waited_for(outbox: Outbox) -> None:
    put(outbox, 2)
    waited: list[float] = []
    with serving(Says(429, {"Retry-After": "2"}), 200) as stub:
        assert deliver(outbox, stub.dsn, wait=waited.append).delivered == 2
    assert waited == [2]
    assert len(stub.envelopes) == 3


def test_a_server_that_asks_for_ever_is_waited_for_a_few_times(outbox: Outbox) -> None:
    put(outbox, 2)
    waited: list[float] = []
    with serving(Says(429, {"Retry-After": "1"})) as stub:
        report = deliver(outbox, stub.dsn, wait=waited.append)
    assert len(waited) == MAX_WAITS
    assert report.undelivered == 2


@pytest.mark.parametrize(
    "says",
    [
        Says(429, LATER),
        Says(503, LATER),
        Says(200, {"X-Sentry-Rate-Limits": "3600:error:project"}),
    ],
)
def test_a_long_pause_is_kept_by_later_runs_too(outbox: Outbox, says: Says) -> None:
    put(outbox, 3)
    with serving(says, 200) as stub:
        first = deliver(outbox, stub.dsn)
        again = deliver(outbox, stub.dsn)
    assert len(stub.envelopes) == 1
    assert first.undelivered == again.undelivered == (2 if says.status == 200 else 3)
    assert "asked to be left alone until" in again.reasons[0]


def test_a_pause_of_one_server_is_none_of_another(outbox: Outbox) -> None:
    put(outbox, 1)
    with serving(Says(429, LATER)) as stub, serving(200) as other:
        deliver(outbox, stub.dsn)
        assert deliver(outbox, other.dsn).delivered == 1


def test_limits_on_what_is_not_posted_are_ignored(outbox: Outbox) -> None:
    put(outbox, 2)
    limits = {"X-Sentry-Rate-Limits": "86400:transaction;span:organization"}
    with serving(Says(200, limits)) as stub:
        assert deliver(outbox, stub.dsn).delivered == 2


# --- a server that is not well ----------------------------------------------------------------------------


def test_a_server_that_hangs_holds_up_one_alert_for_a_bounded_time(outbox: Outbox) -> None:
    put(outbox, 5)
    with serving(Says(how="hang")) as stub:
        report = deliver(outbox, stub.dsn, answer_seconds=30, limits=Limits(total=0.3))
        assert len(stub.envelopes) == 1
    assert report.undelivered == 5
    assert "the time was over before" in report.reasons[0]


def test_no_more_is_begun_when_the_time_is_over(outbox: Outbox) -> None:
    put(outbox, 2)
    with serving(200) as stub:
        report = deliver(outbox, stub.dsn, limits=Limits(total=0))
        assert stub.envelopes == []
    assert report.undelivered == 2


def test_a_refused_connection_keeps_everything(outbox: Outbox) -> None:
    put(outbox, 2)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        # bound and not listening: nobody else can take the port
        report = deliver(outbox, f"http://public@127.0.0.1:{held.getsockname()[1]}/7")
    assert report.undelivered == 2
    assert "refused" in report.reasons[0]


# --- an outbox that is not well ---------------------------------------------------------------------------


def test_without_a_dsn_everything_is_kept(outbox: Outbox) -> None:
    put(outbox)
    report = deliver(outbox, None)
    assert (report.undelivered, report.reasons) == (1, ("no Sentry DSN is set",))
    assert len(outbox.pending()) == 1


@pytest.mark.parametrize("dsn", ["", "nonsense", "http://127.0.0.1/7", "ftp://key@host/1", "http://[/1"])
def test_a_malformed_dsn_loses_nothing(outbox: Outbox, dsn: str) -> None:
    put(outbox)
    report = deliver(outbox, dsn)
    assert (report.undelivered, len(outbox.pending())) == (1, 1)
    assert "NIGHTBENCH_SENTRY_DSN" in report.reasons[0]


def test_nothing_to_say_needs_no_server_and_makes_no_folder(outbox: Outbox) -> None:
    assert deliver(outbox, "http://public@127.0.0.1:9/7") == DeliveryReport()
    assert not outbox.folder.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff", b"[" * 100_000, b"{}\n{}\n{}\n"])
@pytest.mark.parametrize("name", ["00000000-odd.json", "00000000-odd.envelope"])
def test_a_file_that_is_no_alert_is_set_aside(outbox: Outbox, content: bytes, name: str) -> None:
    put(outbox)
    (outbox.folder / name).write_bytes(content)
    with serving(200) as stub:
        assert told(deliver(outbox, stub.dsn)) == (1, 0, 1, 0)
    assert outbox.set_aside_ones()[0].why == f"{name} is not an alert"


def test_an_alert_that_is_cut_off_is_set_aside(outbox: Outbox) -> None:
    put(outbox, 1, [CHART])
    (path,) = outbox.pending()
    path.write_bytes(path.read_bytes()[:-20])
    with serving(200) as stub:
        assert deliver(outbox, stub.dsn).rejected == 1
        assert stub.envelopes == []


def test_an_event_that_an_earlier_version_kept_is_delivered(outbox: Outbox) -> None:
    outbox.folder.mkdir()
    kept = event()
    (outbox.folder / f"20261124T031500.000000Z-{kept['event_id']}.json").write_text(json.dumps(kept))
    with serving(200) as stub:
        assert deliver(outbox, stub.dsn).delivered == 1
    assert stub.events == [kept]


def test_an_outbox_that_cannot_be_written_to_is_told_and_not_posted(outbox: Outbox) -> None:
    put(outbox, 2)
    (outbox.lock).unlink()
    outbox.lock.parent.rmdir()
    outbox.lock.parent.write_text("in the way")
    with serving(200) as stub:
        report = deliver(outbox, stub.dsn)
        assert stub.envelopes == []
    assert report.undelivered == 2
    assert str(outbox.folder) in report.reasons[0]


def test_what_is_put_while_it_delivers_is_delivered_too(outbox: Outbox) -> None:
    put(outbox, 1)
    late: list[str] = []

    def one_more(_state: EventState) -> None:
        if not late:
            late.extend(put(outbox, 1))

    with serving(200) as stub:
        assert deliver(outbox, stub.dsn, on_event=one_more).delivered == 2
    assert stub.ids[-1:] == late


def test_while_another_delivers_nothing_is_posted_and_that_is_said(outbox: Outbox) -> None:
    put(outbox, 2)
    with serving(200) as stub, hold(outbox.lock) as held:
        assert held.ours
        report = deliver(outbox, stub.dsn)
        assert stub.envelopes == []
    assert report.undelivered == 2
    assert "is delivering" in report.reasons[0]


def test_every_alert_has_one_state(outbox: Outbox) -> None:
    ids = put(outbox, 4)
    with serving(200, 403, Says(429, LATER)) as stub:
        report = deliver(outbox, stub.dsn)
    assert sorted(each.event_id for each in report.events) == sorted(ids)
    assert Counter(each.state for each in report.events) == {"delivered": 1, "rejected": 1, "undelivered": 2}
