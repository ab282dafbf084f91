"""``make test`` writes into memory where that can be had, else into the project; ``make clean`` removes both."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from test_cli_make_clean import clean

SCRATCH = Path(__file__).parents[1] / "scratch.sh"


def told(memory, project="the project's"):
    return subprocess.run(
        [SCRATCH, memory, project], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_disk_is_no_memory_and_nothing_of_it_stays(tmp_path):
    assert told("/proc/scratch") == "the project's"
    assert told(tmp_path / "missing" / "scratch") == "the project's"
    assert list(tmp_path.iterdir()) == []


def test_a_link_that_somebody_has_laid_there_is_not_followed(tmp_path):
    link, elsewhere = tmp_path / "link", tmp_path / "elsewhere"
    elsewhere.mkdir()
    link.symlink_to(elsewhere)
    assert told(link) == "the project's"
    assert list(elsewhere.iterdir()) == []


@pytest.fixture
def memory():
    folder = Path(f"/dev/shm/nightbench-scratch-{os.getpid()}")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_what_it_tells_is_a_folder_of_one_s_own_or_the_project_s(memory, tmp_path):
    answer = Path(told(memory, tmp_path))
    assert answer in {memory, tmp_path}
    assert list(answer.iterdir()) == []
    assert memory.exists() == (answer == memory)
    assert answer == tmp_path or answer.stat().st_mode & 0o777 == 0o700


def test_clean_removes_what_lies_in_memory(tmp_path):
    memory = tmp_path / "memory"
    (memory / ".cache").mkdir(parents=True)
    clean(tmp_path, f"MEMORY={memory}")
    assert not memory.exists()
