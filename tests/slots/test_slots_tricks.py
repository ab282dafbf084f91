"""The slot and the line hold also where files are removed from their folder, and where one that waits is stopped."""

import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys

import pytest
from waiting import until

from nightbench.errors import ConfigurationError
from nightbench.slots import line, lock_file
from nightbench.slots.holder import Busy
from nightbench.slots.keys import SlotKey
from nightbench.slots.line import PlaceInLine, Slots

A = SlotKey("a", "database", "the database a")

FORK = multiprocessing.get_context("fork")

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="the name of a slot is Linux's")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "slots"


@only_linux
@pytest.mark.parametrize("removed", ["file", "folder"])
def test_a_slot_whose_file_is_removed_stays_with_its_run_until_that_ends(folder, removed):
    with PlaceInLine(folder, [A], "one") as place:
        slots = place.take()
    if removed == "file":
        (folder / f"{A.digest}.slot").unlink()
    else:
        shutil.rmtree(folder)
    with PlaceInLine(folder, [A], "next") as place:
        for _ in range(2):
            busy = place.take()
            assert isinstance(busy, Busy)
            assert "removed its file" in busy.way_out
        slots.free()
        assert isinstance(place.take(), Slots)


def load(folder, answer):
    with PlaceInLine(folder, [A], "killed") as place:
        slots = place.take()
    answer.send(subprocess.Popen(["sleep", "100"], pass_fds=slots.descriptors).pid)
    signal.pause()


@only_linux
def test_it_stays_with_the_generator_of_a_run_that_was_killed(folder):
    ours, theirs = FORK.Pipe()
    run = FORK.Process(target=load, args=(folder, theirs), daemon=True)
    run.start()
    assert ours.poll(30)
    generator = ours.recv()
    shutil.rmtree(folder)
    run.kill()
    run.join()
    with PlaceInLine(folder, [A], "next") as place:
        busy = place.take()
        os.kill(generator, signal.SIGKILL)
        assert isinstance(busy, Busy)
        assert until(lambda: isinstance(place.take(), Slots))


def test_a_file_that_is_removed_while_it_is_locked_is_locked_anew(folder, monkeypatch):
    slot = folder / f"{A.digest}.slot"
    left = [slot.unlink]

    def opened(path):
        descriptor = lock_file.opened_slot(path)
        if left:
            left.pop()()
        return descriptor

    monkeypatch.setattr(line, "opened_slot", opened)
    with PlaceInLine(folder, [A], "one") as place:
        slots = place.take()
    assert lock_file.is_at(slots.descriptors[-1], slot)
    slots.free()


def test_a_file_that_is_removed_each_time_is_no_slot(folder, monkeypatch):
    monkeypatch.setattr(line, "is_at", lambda _, path: path.suffix == ".ticket")
    with PlaceInLine(folder, [A], "one") as place, pytest.raises(ConfigurationError):
        place.take()


def test_without_names_the_file_alone_is_the_slot(folder, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with PlaceInLine(folder, [A], "one") as place:
        slots = place.take()
    with PlaceInLine(folder, [A], "next") as place:
        assert isinstance(place.take(), Busy)
        slots.free()
        assert isinstance(place.take(), Slots)


def test_a_folder_is_the_same_by_each_of_its_paths(folder, tmp_path):
    folder.mkdir()
    (tmp_path / "other").symlink_to(folder)
    with PlaceInLine(folder, [A], "one") as place:
        slots = place.take()
    (folder / f"{A.digest}.slot").unlink()
    with PlaceInLine(tmp_path / "other", [A], "next") as place:
        assert isinstance(place.take(), Busy)
    slots.free()


def test_no_slot_stays_behind_when_there_is_no_socket_to_be_had(folder, monkeypatch):
    def none(*_):
        raise OSError(24, "Too many open files")

    with PlaceInLine(folder, [A], "one") as place:
        with monkeypatch.context() as patched:
            patched.setattr(socket, "socket", none)
            with pytest.raises(ConfigurationError, match="too many open files"):
                place.take()
        assert isinstance(place.take(), Slots)


def test_a_ticket_that_is_removed_is_made_again_for_the_same_place(folder):
    with PlaceInLine(folder, [A], "holder") as place:
        slots = place.take()
    with PlaceInLine(folder, [A], "first") as first, PlaceInLine(folder, [A], "second") as second:
        first._ticket.unlink()
        first.take()
        slots.free()
        assert "is to be loaded by first" in str(second.take())


def stopped(place):
    """Have it look as though it had not waited for a while."""
    os.utime(place._ticket, (0, place._ticket.stat().st_mtime - 2 * line.STOPPED_SECONDS))


def test_one_that_is_stopped_is_passed_over_and_keeps_its_place(folder):
    with PlaceInLine(folder, [A], "holder") as place:
        slots = place.take()
    with PlaceInLine(folder, [A], "first") as first, PlaceInLine(folder, [A], "second") as second:
        stopped(first)
        assert "is being loaded by holder" in str(second.take())
        first.take()  # it goes on
        assert "is to be loaded by first" in str(second.take())
        stopped(first)
        slots.free()
        assert isinstance(second.take(), Slots)


def test_a_ticket_that_comes_from_the_future_keeps_nobody_waiting(folder):
    with PlaceInLine(folder, [A], "first") as first, PlaceInLine(folder, [A], "second") as second:
        os.utime(first._ticket, (0, first._ticket.stat().st_mtime + 3600))
        assert isinstance(second.take(), Slots)
