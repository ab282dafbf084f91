from __future__ import annotations

import signal
import subprocess
import sys
import tomllib

import pytest
from deployed import FOLDER, PROJECT, USER, dockerfile, image_environment

from nightbench.settings import Settings

STAGES = " ".join(" ".join(each) for each in dockerfile()).split("FROM ")[1:]


def test_it_installs_what_the_lock_file_has_a_hash_for_and_from_no_index_of_its_own():
    built, running = STAGES
    assert "pip download" in built
    assert "--require-hashes" in built
    for install in built.split("pip install")[1:]:
        assert "--no-index --find-links /wheels" in install
    assert "pip" not in running
    assert "://" not in " ".join(STAGES)


def test_it_has_no_extra_that_the_project_has_not():
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert f".[{','.join(sorted(extras))}]" in STAGES[0]


def test_what_it_copies_is_there_and_passes_the_list_of_what_may_enter():
    listed = (FOLDER / "container" / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [
        source
        for instruction, arguments in dockerfile()
        if instruction == "COPY" and not arguments.startswith("--from")
        for source in arguments.split()[:-1]
    ]
    assert all((PROJECT / source).exists() for source in copied)
    assert [line for line in listed if not line.startswith("#")] == [
        "*",
        *(f"!{source}" for source in copied),
        "**/__pycache__",
    ]


def test_it_runs_as_a_user_with_a_name_who_owns_what_it_writes():
    running = STAGES[1]
    assert f"useradd --uid {USER} --create-home nightbench" in running
    assert f"USER {USER}:{USER}" in running
    volumes = [arguments for instruction, arguments in dockerfile() if instruction == "VOLUME"]
    assert volumes == ['["/results", "/cache", "/data"]']
    assert "--owner nightbench --group nightbench --mode 0700 /results /cache /data" in running


def test_it_begins_with_nightbench_under_an_init_and_is_compiled():
    instructions = dict(dockerfile())
    assert instructions["ENTRYPOINT"] == '["tini", "--", "nightbench"]'
    assert "compileall" in STAGES[0]


def test_its_settings_are_settings(monkeypatch):
    environment = image_environment()
    ours = {name: value for name, value in environment.items() if name.startswith("NIGHTBENCH_")}
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert str(settings.results) == "/results"
    assert str(settings.cache) == "/cache"
    assert str(settings.run.slots) == "/cache/slots"


def test_a_run_finds_what_it_finds_where_serve_runs_it(monkeypatch):
    from flows.serving import environment

    monkeypatch.setattr(environment.os, "environ", {})
    there = {
        name: value
        for name, value in environment.of_clients("http://127.0.0.1:4200/api").items()
        if name != "PREFECT_API_URL" and not name.startswith("PREFECT_WORKER_")
    }
    assert "PREFECT_FLOWS_HEARTBEAT_FREQUENCY" in there
    assert there.items() <= image_environment().items()


ONE_RUN = [sys.executable, "-I", str(FOLDER / "container" / "one_run.py"), sys.executable, "-ISc"]
RUN = "import signal, sys; signal.signal(15, lambda *_: sys.exit(7)); print('r', flush=True); signal.pause()"
LOOKS_AFTER_A_RUN = (
    "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-ISc', sys.argv[1]]).returncode)"
)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param([LOOKS_AFTER_A_RUN, RUN], 7, id="to the run and not to who looks after it"),
        pytest.param(
            ["print('r', flush=True); import signal; signal.pause()"], 143, id="before there is a run"
        ),
    ],
)
def test_the_signal_goes(command, code):
    with subprocess.Popen([*ONE_RUN, *command], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"r\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait() == code


@pytest.mark.parametrize(
    ("command", "code"), [("import sys; sys.exit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_it_ends_as_its_command_does(command, code):
    assert subprocess.run([*ONE_RUN, command], check=False).returncode == code
