"""Six processes that contend for slots, three of which are killed: ``python contenders.py FOLDER SEED``.

A program of its own: what is forked here inherits nothing of a test before.
"""

import json
import multiprocessing
import random
import sys
import time
from pathlib import Path

from nightbench.slots.keys import SlotKey
from nightbench.slots.line import PlaceInLine, Slots

KEYS = [SlotKey(name, "database", f"the database {name}") for name in "abc"]
FORK = multiprocessing.get_context("fork")


def contend(folder: Path, number: int, seed: int) -> None:
    """Take the slots and free them again, a few times; write down when."""
    chance = random.Random(f"{seed} {number}")
    with (folder / "log").open("a", buffering=1) as log:
        for _ in range(4):
            keys = chance.sample(KEYS, chance.randint(1, 3))
            with PlaceInLine(folder, keys, str(number)) as place:
                while not isinstance(slots := place.take(), Slots):
                    time.sleep(0.001)
            names = "".join(key.identity for key in keys)
            log.write(f"begin {time.monotonic_ns()} {number} {names}\n")
            time.sleep(chance.uniform(0, 0.01))
            log.write(f"end {time.monotonic_ns()} {number} {names}\n")
            slots.free()


def main(folder: Path, seed: int) -> None:
    """Let them contend, kill some, and say which, when, and how the others ended."""
    chance = random.Random(seed)
    processes = [
        FORK.Process(target=contend, args=(folder, number, seed), daemon=True) for number in range(6)
    ]
    for process in processes:
        process.start()
    killed = {}
    for number in chance.sample(range(6), 3):
        time.sleep(chance.uniform(0, 0.04))
        killed[number] = time.monotonic_ns()
        processes[number].kill()
    for process in processes:
        process.join(60)
    codes = [process.exitcode for number, process in enumerate(processes) if number not in killed]
    sys.stdout.write(json.dumps({"killed": killed, "exit_codes": codes}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
