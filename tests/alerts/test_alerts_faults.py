"""Whatever becomes of the server or of the run, each alert arrives once: against a real Bugsink."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from posted import CHART, event, put
from sentry_servers import Bugsink, bugsink
from sentry_stub import Says, serving

from nightbench.alerts.delivery import DeliveryReport, deliver
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.outbox_lock import hold


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bugsink]:
    folder = tmp_path_factory.mktemp("bugsink")
    with bugsink(folder / "it", MAX_EVENT_SIZE=20_000) as up:
        yield up


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def arrived(server: Bugsink, ids: list[str]) -> list[str]:
    """Which of `ids` it has, in the order of arrival, as often as it has them."""
    stored = [each["event_id"].replace("-", "") for each in server.events()]
    return [each for each in stored if each in ids]


def test_a_server_that_is_down_for_three_nights_gets_everything_once_and_in_order(
    server: Bugsink, outbox: Outbox
) -> None:
    server.stop()
    ids: list[str] = []
    for night in range(3):
        ids += put(outbox, 2, [CHART])
        report = deliver(outbox, server.dsn)
        assert (report.delivered, report.undelivered) == (0, 2 * (night + 1))
        assert "the connection was refused" in report.reasons[0]
    server.start()
    assert deliver(outbox, server.dsn).delivered == 6
    assert arrived(server, ids) == ids
    assert deliver(outbox, server.dsn) == DeliveryReport()


def test_a_wrong_key_sets_aside_and_the_right_one_delivers(server: Bugsink, outbox: Outbox) -> None:
    ids = put(outbox, 2)
    wrong = server.dsn.replace(server.dsn.split("//")[1].split("@")[0], "0" * 32)
    report = deliver(outbox, wrong)
    assert (report.rejected, report.undelivered) == (2, 0)
    assert "HTTP 4" in report.reasons[0]
    assert outbox.take_back() == 2
    assert deliver(outbox, server.dsn).delivered == 2
    assert arrived(server, ids) == ids


def test_an_event_that_is_too_large_is_set_aside_and_the_next_arrives(
    server: Bugsink, outbox: Outbox
) -> None:
    large = outbox.put({**event(), "extra": {"text": "x" * 30_000}})
    ids = put(outbox, 1)
    report = deliver(outbox, server.dsn)
    assert (report.delivered, report.rejected) == (1, 1)
    assert "HTTP 413" in outbox.set_aside_ones()[0].why
    assert outbox.set_aside_ones()[0].path.name == large.name
    assert arrived(server, ids) == ids


# --- a run that is killed ---------------------------------------------------------------------------------


def killed(work: Callable[[], object]) -> None:
    """Do the work in a process that kills itself on the way, as the kernel does: nothing is cleaned up."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def kill_myself(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_was_put_before_a_kill_arrives_with_the_next_run(server: Bugsink, outbox: Outbox) -> None:
    def work() -> None:
        put(outbox, 2)
        kill_myself()

    killed(work)
    ids = sorted(outbox.waiting_ids())
    assert deliver(outbox, server.dsn).delivered == 2
    assert sorted(arrived(server, ids)) == ids


def test_a_run_that_is_killed_between_post_and_delete_tells_nothing_twice(
    server: Bugsink, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = put(outbox, 2)

    def work() -> None:
        monkeypatch.setattr(Path, "unlink", kill_myself)
        deliver(outbox, server.dsn)

    killed(work)
    assert arrived(server, ids) == ids[:1]
    assert len(outbox.pending()) == 2
    assert deliver(outbox, server.dsn).delivered == 2  # its lock died with it
    assert arrived(server, ids) == ids


def test_a_run_that_is_killed_while_it_posts_leaves_all_to_the_next(server: Bugsink, outbox: Outbox) -> None:
    ids = put(outbox, 2)
    with serving(Says(how="hang")) as stub:
        # the server is a thread of the parent: the child is killed from there
        child = os.fork()
        if not child:
            try:
                deliver(outbox, stub.dsn)
            finally:
                os._exit(0)
        assert stub.asked.wait(20)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert deliver(outbox, server.dsn).delivered == 2
    assert arrived(server, ids) == ids


# --- two at once ------------------------------------------------------------------------------------------


def test_of_two_that_flush_at_once_the_second_says_so_and_leaves(server: Bugsink, outbox: Outbox) -> None:
    ids = put(outbox, 3)
    reports: list[DeliveryReport] = []
    begun, go_on = threading.Event(), threading.Event()

    def in_no_hurry(_state: object) -> None:
        begun.set()
        go_on.wait(20)

    first = threading.Thread(target=lambda: reports.append(deliver(outbox, server.dsn, on_event=in_no_hurry)))
    first.start()
    assert begun.wait(20)
    second = deliver(outbox, server.dsn)
    go_on.set()
    first.join()
    assert (second.delivered, second.undelivered) == (0, 2)
    assert f"process {os.getpid()} is delivering" in second.reasons[0]
    assert reports[0].delivered == 3
    assert arrived(server, ids) == ids


def test_a_lock_of_another_process_holds_and_dies_with_it(outbox: Outbox) -> None:
    ready, written = os.pipe()
    child = os.fork()
    if not child:
        try:
            with hold(outbox.lock):
                os.write(written, b"1")
                signal.pause()
        finally:
            os._exit(0)
    os.read(ready, 1)
    with hold(outbox.lock) as held:
        assert (held.ours, held.other) == (False, child)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with hold(outbox.lock) as held:
        assert held.ours


def test_a_server_that_takes_no_more_is_left_alone_and_nothing_is_lost(
    tmp_path: Path, outbox: Outbox
) -> None:
    with bugsink(tmp_path / "sparing", most_events_per_5_minutes=2) as server:
        ids = put(outbox, 5)
        report = deliver(outbox, server.dsn)
        assert report.delivered + report.undelivered == len(ids)
        assert report.undelivered >= 2
        assert "HTTP 429" in report.reasons[0]
        again = deliver(outbox, server.dsn)
        assert (again.delivered, again.undelivered) == (0, report.undelivered)
        assert "asked to be left alone until" in again.reasons[0]
        assert arrived(server, ids) == ids[: report.delivered]
        assert [each.event_id for each in again.events] == ids[report.delivered :]
