"""What a process read from storage and wrote to it: counted between two instants, missing where nobody counts."""

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from nightbench.load.health import HealthMonitor
from nightbench.load.storage import Stored


class Counters(NamedTuple):
    read_bytes: int
    write_bytes: int


class Process:
    """One whose counters are as told, or cannot be had."""

    def __init__(self, *answers):
        self._answers = iter(answers)

    def io_counters(self):
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    "refusal",
    [
        psutil.AccessDenied(1),
        psutil.NoSuchProcess(1),
        FileNotFoundError(),
        NotImplementedError(),
        ValueError(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_where_the_system_does_not_tell_nothing_is_made_up(refusal):
    assert Stored.by(Process(refusal)) == Stored(None, None)


def test_a_system_without_such_counters_does_not_tell():
    assert Stored.by(object()) == Stored(None, None)


def test_the_generator_counts_between_begin_and_finish(monkeypatch):
    process = Process(Counters(100, 10), Counters(160, 12))
    monkeypatch.setattr(Stored, "by", classmethod(lambda cls, _: cls(*process.io_counters())))
    monitor = HealthMonitor()
    monitor.begin()
    assert monitor.finish().stored == Stored(60, 2)


@pytest.mark.parametrize(
    ("before", "after", "between"),
    [
        (Stored(5, 7), Stored(8, 7), Stored(3, 0)),
        (Stored(None, 7), Stored(8, 9), Stored(None, 2)),
        (Stored(5, 7), Stored(8, None), Stored(3, None)),
        (Stored(5, 7), Stored(4, 7), Stored(0, 0)),
    ],
)
def test_what_one_instant_does_not_tell_nobody_knows_of_the_time_between(before, after, between):
    assert after.since(before) == between


def test_unknown_of_one_is_unknown_of_all():
    assert Stored.added([Stored(1, 2), Stored(3, None)]) == Stored(4, None)


def test_what_is_written_through_to_storage_is_counted():
    process = psutil.Process()
    before = Stored.by(process)
    if before.written is None:
        pytest.skip("this system does not count")
    # where the project lies: a folder of the tests may be in memory
    with tempfile.TemporaryFile(dir=Path(__file__).parent) as file:
        file.write(b"x" * 2**20)
        file.flush()
        os.fsync(file.fileno())
    written = Stored.by(process).since(before).written
    if not written:
        pytest.skip("this file system keeps no account")
    assert written >= 2**20
