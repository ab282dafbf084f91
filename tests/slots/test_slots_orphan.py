"""A load generator has the slot of its subject, and ends when its run was killed, also one that hangs."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
from processes import survivors
from waiting import until

from nightbench.load import child, child_side
from nightbench.slots.keys import SlotKey
from nightbench.slots.line import PlaceInLine, Slots

KEYS = [SlotKey("a", "database", "a")]


def hang(folder: Path, _on_progress, _stop: threading.Event) -> None:
    child_side.ORPHAN_SECONDS = 0.1
    (folder / "pid.part").write_text(str(os.getpid()))
    (folder / "pid.part").rename(folder / "pid")
    threading.Event().wait()


async def load(folder: Path) -> None:
    from nightbench.slots.inherited import inherited

    with PlaceInLine(folder, KEYS, "night") as place:
        slots = place.take()
    with inherited(slots.descriptors):
        await child.run_in_child(hang, folder, on_progress=print, stop=asyncio.Event(), grace=60)


def test_a_generator_that_hangs_ends_and_frees_the_slot_after_its_run_was_killed(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    code = "import asyncio, sys, pathlib, test_slots_orphan as it; asyncio.run(it.load(pathlib.Path(sys.argv[1])))"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment) as run:
        until((tmp_path / "pid").exists)
        generator = psutil.Process(int((tmp_path / "pid").read_text()))
        with PlaceInLine(tmp_path, KEYS, "next") as place:
            generator.suspend()
            run.kill()
            run.wait()
            assert not isinstance(place.take(), Slots)
            generator.resume()
            assert survivors([generator]) == []
            until(lambda: isinstance(place.take(), Slots))
