"""A folder of slots that several users can write: none shuts another one out, and none can have another one harm itself."""

import multiprocessing
import os
import stat

import pytest

from nightbench.errors import ConfigurationError
from nightbench.slots.holder import Busy
from nightbench.slots.keys import SlotKey
from nightbench.slots.line import PlaceInLine, Slots
from nightbench.slots.lock_file import opened_slot

A = SlotKey("a", "database", "the database a")
FORK = multiprocessing.get_context("fork")
NOBODY = 65_534

several_users = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "slots"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


def as_nobody(folder, scene):
    """What `scene` returns, as text, when another user calls it in the folder."""

    def call(answer):
        os.chdir(folder)  # its parents are closed to that user
        os.umask(0o077)
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        try:
            answer.send(str(scene()))
        except Exception as error:  # noqa: BLE001
            answer.send(repr(error))

    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=call, args=(theirs,), daemon=True)
    process.start()
    assert ours.poll(30)
    told = ours.recv()
    process.join(30)
    return told


def take_and_free():
    from pathlib import Path

    with PlaceInLine(Path(), [A], "theirs") as place:
        got = place.take()
    if isinstance(got, Busy):
        return got
    got.free()
    return "free"


@several_users
def test_another_user_has_the_slot_as_soon_as_it_is_free_and_the_other_way_round(folder):
    with PlaceInLine(folder, [A], "ours") as place:
        slots = place.take()
    assert "is being loaded by ours (process " in as_nobody(folder, take_and_free)
    slots.free()
    assert as_nobody(folder, take_and_free) == "free"
    with PlaceInLine(folder, [A], "ours") as place:
        assert isinstance(place.take(), Slots)


@several_users
def test_a_slot_that_another_user_has_made_can_be_had(folder):
    assert as_nobody(folder, take_and_free) == "free"
    with PlaceInLine(folder, [A], "ours") as place:
        assert isinstance(place.take(), Slots)


@several_users
def test_another_user_waits_for_who_came_first_and_not_for_the_ticket_of_one_that_was_killed(folder):
    with PlaceInLine(folder, [A], "ours") as place:
        assert "is to be loaded by ours" in as_nobody(folder, take_and_free)
        left = folder / place._ticket.name.replace("-", "-left", 1)
        left.touch(mode=0o644)
    assert as_nobody(folder, take_and_free) == "free"
    assert left.exists()  # whoever made it may remove it in such a folder


@several_users
def test_what_root_makes_in_the_folder_of_a_user_is_that_users(folder):
    os.chown(folder, NOBODY, NOBODY)
    folder.chmod(0o700)
    with PlaceInLine(folder, [A], "ours") as place:
        place.take().free()
    assert as_nobody(folder, take_and_free) == "free"


@pytest.mark.parametrize(("folder_mode", "slot", "ticket"), [(0o700, 0o600, 0o600), (0o2770, 0o660, 0o640)])
def test_rights_are_those_of_the_folder_whatever_the_umask(folder, folder_mode, slot, ticket):
    folder.chmod(folder_mode)
    before = os.umask(0o077)
    try:
        with PlaceInLine(folder, [A], "one") as place:
            place.take().free()
            modes = {file.suffix: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    finally:
        os.umask(before)
    assert modes == {".slot": slot, ".ticket": ticket}


def test_a_slot_from_before_the_folder_was_opened_is_opened_by_its_owner(folder):
    slot = folder / f"{A.digest}.slot"
    slot.touch(mode=0o600)
    os.close(opened_slot(slot))
    assert stat.S_IMODE(slot.stat().st_mode) == 0o666


@pytest.mark.parametrize("trick", [os.symlink, os.link])
def test_a_link_in_place_of_a_slot_is_not_written(folder, tmp_path, trick):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    rights = precious.stat().st_mode
    trick(precious, folder / f"{A.digest}.slot")
    with PlaceInLine(folder, [A], "one") as place, pytest.raises(ConfigurationError, match="cannot be used"):
        place.take()
    assert (precious.read_text(), precious.stat().st_mode) == ("precious", rights)


def test_a_pipe_in_place_of_a_slot_is_refused_and_holds_nobody_up(folder):
    os.mkfifo(folder / f"{A.digest}.slot")
    with (
        PlaceInLine(folder, [A], "one") as place,
        pytest.raises(ConfigurationError, match="not a plain file"),
    ):
        place.take()


@pytest.mark.parametrize("trick", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_ticket_holds_nobody_up(folder, trick):
    trick(folder / f"{0:020d}-x-{A.digest}.ticket")
    with PlaceInLine(folder, [A], "one") as place:
        assert isinstance(place.take(), Slots)
