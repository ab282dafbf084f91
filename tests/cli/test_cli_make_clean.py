"""``make clean`` removes what can be made again, and nothing else."""

import os
import subprocess
from pathlib import Path

MAKEFILE = Path(__file__).parents[2] / "Makefile"


def clean(folder, *variables):
    # a variable that `make test` was given, such as VENV, is no business of this one
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--file", MAKEFILE, "clean", *variables]
    subprocess.run(command, cwd=folder, env=inherited, check=True, capture_output=True)


def test_runs_that_were_kept_aside_stay(tmp_path):
    for made in (".cache/postgres/data", ".venv/bin", ".cache/unsaved"):
        (tmp_path / made).mkdir(parents=True)
    (tmp_path / ".cache/unsaved/run.json").touch()
    clean(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == [".cache", "unsaved", "run.json"]


def test_without_any_the_cache_goes(tmp_path):
    (tmp_path / ".cache/postgres").mkdir(parents=True)
    clean(tmp_path)
    clean(tmp_path)
    assert list(tmp_path.iterdir()) == []
