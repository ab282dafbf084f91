"""The outbox: what is in it is on the disk, whole, without the DSN, and no more than it may hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from full_disk import needs_a_small_disk, run_on_a_small_disk
from hypothesis import given
from hypothesis import strategies as st
from posted import CHART, event, put, written_id
from sentry_stub import serving

from nightbench.alert_settings import AlertSettings
from nightbench.alerts.bounds import Bounds, Waiting
from nightbench.alerts.delivery import deliver
from nightbench.alerts.kept import event_in, name_of, read
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.outbox_lock import hold
from nightbench.alerts.outbox_state import OutboxState
from nightbench.errors import ConfigurationError, MeasurementError

NOW = datetime(2026, 11, 27, 3, 15, tzinfo=UTC)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def test_what_is_put_is_the_whole_envelope_without_a_dsn(outbox: Outbox) -> None:
    told = event()
    path = outbox.put(told, [CHART])
    envelope = read(path)
    assert set(envelope.headers) == {"event_id"}
    assert event_in(path) == told
    assert envelope.items[1].get_bytes() == CHART.content
    assert outbox.waiting_ids() == {told["event_id"]} == {written_id(path)}


def test_a_chart_that_comes_later_costs_no_alert(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox", Bounds(events=2))
    first, told = outbox.put(event()), event()
    path = outbox.put(told)
    assert outbox.add(path, told, [CHART])
    assert outbox.pending() == [first, path]
    assert read(path).items[1].get_bytes() == CHART.content


def test_a_chart_without_room_is_left_out(tmp_path: Path) -> None:
    told = event()
    outbox = Outbox(tmp_path / "outbox")
    path = outbox.put(told)
    small = Outbox(outbox.folder, Bounds(size=path.stat().st_size + 1))
    assert not small.add(path, told, [CHART])
    assert len(read(path).items) == 1


def test_what_has_left_gets_no_chart(outbox: Outbox) -> None:
    told = event()
    path = outbox.put(told)
    outbox.withdraw(path)
    assert not outbox.add(path, told, [CHART])
    assert outbox.pending() == []


def test_half_written_files_and_other_folders_do_not_wait(outbox: Outbox) -> None:
    put(outbox)
    (outbox.folder / ".x.envelope.1-2.tmp").write_text("{")
    (outbox.folder / ".x.envelope").write_text("{")
    (outbox.folder / "state").mkdir()
    (outbox.folder / "state" / "open.json").write_text("{}")
    assert len(outbox.pending()) == 1


def test_what_is_withdrawn_waits_no_more(outbox: Outbox) -> None:
    path = outbox.put(event())
    assert outbox.withdraw(path)
    assert not outbox.withdraw(path)
    assert outbox.pending() == []


def test_what_was_dropped_is_told_once_also_when_nothing_waits_any_more(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox", Bounds(events=1))
    put(outbox, 2)
    (left,) = outbox.pending()
    outbox.withdraw(left)
    assert deliver(outbox, None).dropped == 1
    assert deliver(outbox, None).dropped == 0


def test_what_is_on_its_way_is_not_withdrawn(outbox: Outbox) -> None:
    path = outbox.put(event())
    with hold(outbox.lock) as held:
        assert held.ours
        assert not outbox.withdraw(path)
    assert outbox.pending() == [path]


@pytest.mark.parametrize("folder", ["file", "file/below", "/proc/nightbench"])
def test_an_outbox_that_cannot_be_written_names_itself_and_the_alert(tmp_path: Path, folder: str) -> None:
    # /proc refuses new entries to everybody, root too, as a read-only mount does
    (tmp_path / "file").write_text("in the way")
    outbox = Outbox(tmp_path / folder)
    with pytest.raises(ConfigurationError, match="outbox"):
        outbox.check_writable()
    with pytest.raises(MeasurementError, match=re.escape(str(tmp_path / folder))) as caught:
        outbox.put(event("full database: failed"))
    assert "'full database: failed'" in str(caught.value)


@needs_a_small_disk
def test_a_full_disk_takes_the_alert_without_its_chart_or_says_so(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from posted import event
from nightbench.alerts.attachment import Attachment
from nightbench.alerts.kept import read
from nightbench.alerts.outbox import Outbox
from nightbench.errors import MeasurementError
outbox = Outbox(Path(sys.argv[1]))
print(len(read(outbox.put(event(), [Attachment("chart.png", "image/png", bytes(100_000))])).items))
try:
    while True:
        outbox.put(event())
except MeasurementError as error:
    print(error)
print(all(read(path).get_event() for path in outbox.pending()), list(outbox.folder.glob(".*")))
"""
    done = run_on_a_small_disk(tmp_path / "small", 48, script)
    assert done.returncode == 0, done.stdout + done.stderr
    items, problem, left = done.stdout.splitlines()
    assert items == "1"
    assert "could not be kept" in problem
    assert "no space left on device" in problem
    assert left == "True []"


# --- no more than it may hold -----------------------------------------------------------------------------


def waiting(*ages_and_sizes: tuple[float, int]) -> list[Waiting]:
    return [
        Waiting(Path(str(number)), NOW - timedelta(days=age), size)
        for number, (age, size) in enumerate(ages_and_sizes)
    ]


@pytest.mark.parametrize(
    ("bounds", "gone"),
    [
        (Bounds(), []),
        (Bounds(age=timedelta(days=2)), [0, 1]),
        (Bounds(events=2), [0, 1]),
        (Bounds(size=45), [0, 1]),
        (Bounds(size=1), [0, 1, 2]),
        (Bounds(age=timedelta(days=4), events=3, size=65), [0]),
    ],
)
def test_the_oldest_goes_first(bounds: Bounds, gone: list[int]) -> None:
    held = waiting((5, 10), (3, 20), (1, 20), (0, 25))
    assert [int(each.path.name) for each in bounds.excess(held, NOW)] == gone


@given(
    st.lists(st.tuples(st.floats(0, 60), st.integers(0, 100)), max_size=20),
    st.integers(1, 10),
    st.integers(1, 500),
)
def test_what_is_left_fits_and_is_the_newest(held: list[tuple[float, int]], events: int, size: int) -> None:
    ordered = waiting(*sorted(held, reverse=True))
    gone = Bounds(timedelta(days=30), events, size).excess(ordered, NOW)
    left = ordered[len(gone) :]
    assert list(gone) == ordered[: len(gone)]
    assert len(left) <= events
    assert len(left) <= 1 or sum(each.size for each in left) <= size


def test_the_bounds_are_those_that_are_set() -> None:
    settings = AlertSettings(kept_days=2, kept_events=3, kept_mib=0.5)
    assert Bounds.of(settings) == Bounds(timedelta(days=2), 3, 2**19)


def test_what_is_dropped_is_counted_and_told_once(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, Bounds(events=2))
    ids = put(outbox, 5)
    assert outbox.waiting_ids() == set(ids[3:])
    report = deliver(outbox, None)
    assert (report.dropped, report.undelivered) == (3, 2)
    assert [each.event_id for each in report.events if each.state == "dropped"] == ids[:3]
    assert deliver(outbox, None).dropped == 0
    assert OutboxState.read(outbox.state_file).dropped == 3


def test_an_alert_that_waited_too_long_is_offered_once_more_before_it_is_dropped(outbox: Outbox) -> None:
    old = [event("taken"), event("late")]
    for told in old:
        path = outbox.put(told)
        path.rename(outbox.folder / name_of(told["event_id"], datetime.now(UTC) - timedelta(days=31)))
    with serving(500, 200) as stub:
        report = deliver(outbox, stub.dsn)
    assert len(stub.envelopes) == 2
    assert (report.delivered, report.dropped, report.undelivered) == (1, 1, 0)


def test_what_was_rejected_is_bounded_too(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, Bounds(events=2))
    with serving(403) as stub:
        for _ in range(2):
            put(outbox, 2)
            report = deliver(outbox, stub.dsn)
    assert (report.rejected, report.dropped) == (2, 2)
    assert len(outbox.set_aside_ones()) == 2
    assert len(list(outbox.rejected.iterdir())) == 4


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 99}', b"\xff", b'{"version": 1}'])
def test_a_memory_that_cannot_be_read_is_begun_anew(outbox: Outbox, content: bytes) -> None:
    outbox.state_file.parent.mkdir(parents=True)
    outbox.state_file.write_bytes(content)
    assert OutboxState.read(outbox.state_file) == OutboxState()


def test_a_pause_of_a_clock_that_was_put_back_is_none() -> None:
    state = OutboxState().paused("host/1", 60, NOW)
    assert state.pause("host/1", NOW) == NOW + timedelta(seconds=60)
    assert state.pause("host/1", NOW + timedelta(seconds=61)) is None
    assert state.pause("host/1", NOW - timedelta(days=400)) is None
    assert state.pause("host/2", NOW) is None
