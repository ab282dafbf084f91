"""Whatever lies in the outbox: it is set aside and everything else arrives, and nothing is given up uncounted."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from posted import event, put
from sentry_stub import serving

from nightbench.alerts import kept
from nightbench.alerts.bounds import Bounds
from nightbench.alerts.delivery import deliver
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.outbox_state import OutboxState
from nightbench.alerts.outbox_status import status_of

NOW = datetime(2026, 11, 27, 3, 15, tzinfo=UTC)
NOBODY = "http://public@127.0.0.1:9/7"


class Killed(BaseException):
    """What no clause expects."""


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def put_odd(outbox: Outbox, name: bytes, content: bytes) -> None:
    Path(os.fsdecode(os.fsencode(outbox.folder) + b"/" + name)).write_bytes(content)


# --- a file that nightbench has not written ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            b"0.envelope",
            b'{"event_id":"a"}\n{"type":"event","length":99999999999999999999999}\n{"event_id":"a"}',
        ),
        (b"0.envelope", b'{"event_id":"a"}\n{"type":"event"}\n{"event_id":"a","x":NaN}\n'),
        (b"0.json", b'{"event_id":"a","x":Infinity}'),
        (b"\xff.envelope", b"x"),
        (b"\xff.json", b"{}"),
        (b"0\n\x1b[31m.envelope", b"x"),
        (b"0" * 246 + b".envelope", b"x"),
    ],
)
def test_it_is_set_aside_and_the_alert_behind_it_arrives(outbox: Outbox, name: bytes, content: bytes) -> None:
    (put_id,) = put(outbox)
    put_odd(outbox, name, content)
    with serving(200) as stub:
        report = deliver(outbox, stub.dsn)
    assert (report.delivered, report.rejected, outbox.pending()) == (1, 1, [])
    assert stub.ids == [put_id]
    status = status_of(outbox, None, NOW)
    shown = [*report.reasons, *(each.event_id for each in report.events)]
    shown += [f"{each.event_id} {each.title} {each.why}" for each in status.rejected]
    assert all(text.isprintable() for text in shown)
    "".join(shown).encode()  # a terminal and a dataset take no lone surrogates


def test_one_that_is_far_too_large_is_not_read(outbox: Outbox) -> None:
    put(outbox)
    path = outbox.folder / "0.envelope"
    path.touch()
    os.truncate(path, 2**33)
    with serving(200) as stub:
        report = deliver(outbox, stub.dsn)
    assert (report.delivered, report.rejected) == (1, 1)
    assert outbox.set_aside_ones()[0].why == "0.envelope is larger than 20 MiB: not an alert"


def test_one_that_nobody_has_thought_of_is_set_aside_too(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = put(outbox, 2)
    whole = kept.read

    def read(path: Path) -> Any:
        if ids[0] in path.name:
            raise LookupError("odd")
        return whole(path)

    monkeypatch.setattr("nightbench.alerts.round.read", read)
    with serving(200) as stub:
        report = deliver(outbox, stub.dsn)
    assert (report.delivered, report.rejected) == (1, 1)
    assert "LookupError" in report.reasons[0]


@pytest.mark.parametrize("seconds", [-(10**11), 0, 3 * 10**11])
def test_its_own_time_is_not_when_it_was_set_aside(outbox: Outbox, seconds: int) -> None:
    put(outbox)
    put_odd(outbox, b"0.envelope", b"x")
    os.utime(outbox.folder / "0.envelope", (seconds, seconds))
    with serving(200) as stub:
        report = deliver(outbox, stub.dsn)
    assert (report.delivered, report.rejected, report.dropped) == (1, 1, 0)
    assert [each.path.name for each in outbox.set_aside_ones()] == ["0.envelope"]
    outbox.trim(datetime.now(UTC) + timedelta(days=31))
    assert outbox.set_aside_ones() == []


@pytest.mark.parametrize(
    "numbers",
    [
        '"dropped":Infinity,"told":0,"until":0',
        '"dropped":1e999,"told":0,"until":0',
        f'"dropped":0,"told":0,"until":1{"0" * 400}',
        '"dropped":-5,"told":10,"until":0',
        '"dropped":0,"told":0,"until":Infinity',
        '"dropped":0,"told":0,"until":NaN',
    ],
)
def test_a_memory_with_odd_numbers_stops_nothing(outbox: Outbox, numbers: str) -> None:
    put(outbox)
    outbox.state_file.write_text(f'{{"version":1,"untold":["\\ud800"],"project":"",{numbers}}}')
    with serving(200) as stub:
        report = deliver(outbox, stub.dsn)
    assert (report.delivered, outbox.pending()) == (1, [])
    str(report).encode()


# --- a full disk ------------------------------------------------------------------------------------------


def on_a_full_disk(work: Callable[[], Any]) -> Any:
    """Do the work while no file can grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        return work()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_emptied(outbox: Outbox) -> None:
    put(outbox, 2)
    with serving(200) as stub:
        report = on_a_full_disk(lambda: deliver(outbox, stub.dsn))
    assert (report.delivered, report.reasons, outbox.pending()) == (2, (), [])


# --- what is given up -------------------------------------------------------------------------------------


def full(folder: Path, most: int) -> tuple[Outbox, list[str]]:
    """An outbox with five alerts that may have `most`."""
    ids = put(Outbox(folder), 5)
    return Outbox(folder, Bounds(events=most)), ids


def test_what_cannot_be_counted_is_not_given_up(tmp_path: Path) -> None:
    outbox, _ = full(tmp_path, 2)
    report = on_a_full_disk(lambda: deliver(outbox, NOBODY))
    assert (report.undelivered, report.dropped) == (5, 0)
    assert "holds more than it may" in report.reasons[0]
    report = deliver(outbox, NOBODY)
    assert (report.undelivered, report.dropped) == (2, 3)


def killed_before_it_removes(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", _interrupt)
        with pytest.raises(Killed):
            outbox.trim(NOW)


def _interrupt(*_: object, **__: object) -> None:
    raise Killed


def test_a_run_that_is_killed_after_it_counted_counts_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox, ids = full(tmp_path, 2)
    killed_before_it_removes(outbox, monkeypatch)
    assert OutboxState.read(outbox.state_file).dropped == 3
    report = deliver(outbox, NOBODY)
    assert (report.undelivered, report.dropped) == (2, 3)
    assert [each.event_id for each in report.events if each.state == "dropped"] == ids[:3]
    assert OutboxState.read(outbox.state_file).dropped == 3


def test_what_was_counted_and_arrived_after_all_was_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox, _ = full(tmp_path, 2)
    killed_before_it_removes(outbox, monkeypatch)
    with serving(200) as stub:
        report = deliver(outbox, stub.dsn)
    assert (report.delivered, report.dropped, len(report.events)) == (5, 0, 5)
    assert OutboxState.read(outbox.state_file).dropped == 0


def test_an_outbox_with_room_reads_no_name(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    put(outbox, 3)
    monkeypatch.setattr("nightbench.alerts.outbox.since_of", _interrupt)
    outbox.put(event())
    assert len(outbox.pending()) == 4
