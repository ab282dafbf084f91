"""What is remembered from night to night: whole or not at all, and rather told twice than never."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from remembering import NOW, opened, regression

from nightbench.alerts.open_alert import OpenAlert
from nightbench.alerts.state import KEPT, OpenAlerts
from nightbench.errors import MeasurementError

OPEN = opened(regression())


@pytest.fixture
def open_alerts(tmp_path: Path) -> OpenAlerts:
    return OpenAlerts(tmp_path)


def numbered(number: int) -> OpenAlert:
    return replace(OPEN, metric=f"metric-{number}")


def test_nothing_is_known_at_first(open_alerts: OpenAlerts) -> None:
    known = open_alerts.read()
    assert (known.entries, known.problem) == ((), "")


def test_what_is_put_is_there_again(open_alerts: OpenAlerts) -> None:
    other = replace(numbered(1), nights=3, own=False, over="well again")
    open_alerts.change({OPEN.key: OPEN, other.key: other}, NOW)
    assert open_alerts.read().entries == (OPEN, other)
    assert open_alerts.read().get(other.key) == other


def test_what_is_none_is_removed_and_the_others_stay(open_alerts: OpenAlerts) -> None:
    open_alerts.change({OPEN.key: OPEN, numbered(1).key: numbered(1)}, NOW)
    open_alerts.change({OPEN.key: None}, NOW)
    assert open_alerts.read().entries == (numbered(1),)


def test_what_was_not_seen_for_long_is_forgotten(open_alerts: OpenAlerts) -> None:
    old = replace(numbered(1), last_at=NOW - KEPT)
    young = replace(numbered(2), last_at=NOW - KEPT + timedelta(hours=1))
    open_alerts.change({old.key: old, young.key: young}, NOW)
    assert open_alerts.read().entries == (young,)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"schema": 2, "open": []}',
        b'{"schema": 1}',
        b'{"schema": 1, "open": [1]}',
        b'{"schema": 1, "open": [{"kind": "regression"}]}',
        b'{"schema": 1, "open": 5}',
    ],
)
def test_a_file_that_cannot_be_understood_is_told_set_aside_and_begun_anew(
    open_alerts: OpenAlerts, content: bytes
) -> None:
    open_alerts.file.parent.mkdir(parents=True)
    open_alerts.file.write_bytes(content)
    known = open_alerts.read()
    assert known.entries == ()
    assert str(open_alerts.file) in known.problem
    open_alerts.change({OPEN.key: OPEN}, NOW)
    assert open_alerts.read().entries == (OPEN,)
    assert open_alerts.file.with_name("open.unreadable.json").read_bytes() == content


@pytest.mark.parametrize(
    "wrong",
    [
        {"nights": "3"},
        {"own": 1},
        {"last_at": "yesterday"},
        {"last_at": "2026-11-24T06:00:00"},
        {"title": None},
    ],
)
def test_a_row_of_another_type_is_no_alert(open_alerts: OpenAlerts, wrong: dict) -> None:
    open_alerts.change({OPEN.key: OPEN}, NOW)
    document = json.loads(open_alerts.file.read_bytes())
    document["open"][0].update(wrong)
    open_alerts.file.write_text(json.dumps(document))
    assert open_alerts.read().problem


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    open_alerts = OpenAlerts(tmp_path)
    with pytest.raises(MeasurementError, match=r"open\.json"):
        open_alerts.change({OPEN.key: OPEN}, NOW)


def test_no_secret_is_remembered(open_alerts: OpenAlerts) -> None:
    open_alerts.change({OPEN.key: replace(OPEN, title="postgresql://app:hunter2@host/db")}, NOW)
    assert "hunter2" not in open_alerts.file.read_text()


def _change_many(outbox: Path, first: int) -> None:
    for number in range(first, first + 20):
        entry = numbered(number)
        OpenAlerts(outbox).change({entry.key: entry}, NOW)


def test_nights_that_write_at_once_keep_what_each_wrote(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    nights = [context.Process(target=_change_many, args=(tmp_path, 100 * number)) for number in range(3)]
    for night in nights:
        night.start()
    for night in nights:
        night.join()
    assert len(OpenAlerts(tmp_path).read().entries) == 60
