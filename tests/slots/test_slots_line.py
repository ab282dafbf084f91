"""One run at a time on a machine: with real processes, some of which are killed."""

import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import until

from nightbench.errors import ConfigurationError
from nightbench.settings import Settings
from nightbench.slots.folder import slots_folder
from nightbench.slots.holder import Busy, Holder
from nightbench.slots.keys import SlotKey
from nightbench.slots.line import PlaceInLine, Slots

A, B, C = (SlotKey(name, "database", f"the database {name}") for name in "abc")
FORK = multiprocessing.get_context("fork")


def taken(place) -> Slots | None:
    got = place.take()
    return got if isinstance(got, Slots) else None


def test_a_holder_that_left_the_line_is_named_by_its_slot(tmp_path):
    with PlaceInLine(tmp_path, [A], "nightly") as first:
        slots = taken(first)
    with PlaceInLine(tmp_path, [A], "websocket") as second:
        busy = second.take()
        slots.free()
        assert isinstance(second.take(), Slots)
    assert str(busy).startswith(f"the database a is being loaded by nightly (process {os.getpid()}, since 2")


def test_other_subjects_do_not_wait(tmp_path):
    with PlaceInLine(tmp_path, [A], "one") as one, PlaceInLine(tmp_path, [B], "other") as other:
        assert taken(one)
        assert taken(other)


def test_who_needs_several_takes_all_or_none(tmp_path):
    with PlaceInLine(tmp_path, [B], "holder") as place:
        held = taken(place)
    with PlaceInLine(tmp_path, [B, A], "both") as both:
        assert isinstance(both.take(), Busy)
    with PlaceInLine(tmp_path, [A], "one") as one:
        assert taken(one)
    held.free()


def test_who_came_first_for_a_slot_goes_first_also_when_it_needs_another_one(tmp_path):
    with PlaceInLine(tmp_path, [B], "holder") as place:
        held = taken(place)
    with PlaceInLine(tmp_path, [A, B], "both") as both, PlaceInLine(tmp_path, [A], "late") as late:
        assert isinstance(both.take(), Busy)
        assert late.take() == Busy(A.label, both._me, waits=True)
        held.free()
        assert taken(both)


def test_a_place_that_is_given_up_holds_nobody_up(tmp_path):
    with PlaceInLine(tmp_path, [A], "gives up"):
        pass
    with PlaceInLine(tmp_path, [A], "next") as place:
        assert taken(place)
    assert not list(tmp_path.glob("*.ticket"))


def wait_in_line(folder, keys):
    with PlaceInLine(folder, keys, "killed"):
        (folder / "waits").touch()
        signal.pause()


def test_a_killed_one_that_waited_holds_nobody_up(tmp_path):
    process = FORK.Process(target=wait_in_line, args=(tmp_path, [A]), daemon=True)
    process.start()
    until((tmp_path / "waits").exists)
    with PlaceInLine(tmp_path, [A], "next") as place:
        assert isinstance(place.take(), Busy)
        process.kill()
        process.join()
        assert taken(place)


@pytest.mark.parametrize("seed", range(3))
def test_two_never_load_the_same_subject_whoever_is_killed_and_when(tmp_path, seed):
    script = Path(__file__).parent / "contenders.py"
    done = subprocess.run(
        [sys.executable, script, tmp_path, str(seed)], capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    scene = json.loads(done.stdout)
    killed = {int(number): at for number, at in scene["killed"].items()}
    assert scene["exit_codes"] == [0, 0, 0], done.stderr

    holders = {}
    for line in sorted((tmp_path / "log").read_text().splitlines(), key=lambda line: int(line.split()[1])):
        what, at, number, names = line.split()
        for name in names:
            if what == "begin":
                last = holders.get(name)
                assert last is None or int(at) >= killed.get(last, 2**63), f"{number} beside {last}: {line}"
                holders[name] = int(number)
            else:
                assert holders.pop(name) == int(number)


HOLDER = """
import subprocess, sys
from pathlib import Path
from nightbench.slots.inherited import inherited, slot_descriptors
from nightbench.slots.keys import SlotKey
from nightbench.slots.line import PlaceInLine
with PlaceInLine(Path(sys.argv[1]), [SlotKey("a", "database", "a")], "night") as place:
    slots = place.take()
with inherited(slots.descriptors):
    child = subprocess.Popen(["sleep", "100"], pass_fds=slot_descriptors())
print(child.pid, flush=True)
sys.stdin.read()
slots.free()
print("free", flush=True)
sys.stdin.close()
child.kill()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    generator = int(process.stdout.readline())
    yield process, generator
    process.kill()
    process.communicate()


def test_a_killed_holder_has_it_until_its_load_generator_has_ended(tmp_path, holder):
    process, generator = holder
    with PlaceInLine(tmp_path, [A], "next") as place:
        process.kill()
        process.wait()
        assert "night" in str(place.take())
        os.kill(generator, signal.SIGKILL)
        assert until(lambda: taken(place))


def test_the_folder_is_made_for_its_user_alone(tmp_path):
    folder = tmp_path / "made" / "slots"
    with PlaceInLine(folder, [A], "one") as place:
        taken(place)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    place = PlaceInLine(tmp_path / "file" / "slots", [A], "one")
    with pytest.raises(ConfigurationError, match=r"^NIGHTBENCH_RUN__SLOTS = '.*cannot be used") as refused:
        place.__enter__()
    assert "\n" not in str(refused.value)


def test_a_relative_folder_is_refused():
    with pytest.raises(ValueError, match="another one in each working directory"):
        Settings(run={"slots": "slots"})


def test_the_folder_is_the_same_whatever_the_environment(monkeypatch):
    before = slots_folder(Settings())
    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "TMPDIR", "NIGHTBENCH_CACHE"):
        monkeypatch.setenv(name, "/elsewhere")
    assert slots_folder(Settings()) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"who": 1}', b"\xff" * 9, b"[" * 4000])
def test_a_file_that_says_nothing_names_nobody(content):
    assert Holder.read(content) is None


def test_a_file_that_says_too_much_moves_no_terminal():
    read = Holder.read(b'{"who": "\\u001b[2J' + b"x" * 999 + b'", "where": "", "since": ""}')
    assert "\x1b" not in read.who
    assert len(read.who) <= 64
