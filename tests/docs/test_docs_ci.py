"""The pipelines to copy: their commands are those of the program, and an exit code becomes the state that the guide says."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
import yaml
from docs.reading import PROJECT
from docs.shell import commands_of

FOLDER = PROJECT / "deployments/ci"
GITHUB = yaml.safe_load((FOLDER / "github-actions.yaml").read_text("utf-8"))
GITLAB = yaml.safe_load((FOLDER / "gitlab-ci.yaml").read_text("utf-8"))
STEPS = GITHUB["jobs"]["benchmark"]["steps"]
JOB = GITLAB["benchmark"]
SCRIPTS = [
    *(step["run"] for step in STEPS if "run" in step),
    *("\n".join(JOB[name]) for name in ("before_script", "script", "after_script")),
]
GREEN, RED = "green", "red"

STUB = """#!/bin/sh
if [ "$1" = run ]; then exit "$CODE_OF_THE_RUN"; fi
"""


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_commands_of_a_pipeline_run(script, scene):
    assert scene.run_block(script) > 0


def test_both_measure_and_report():
    called = {command.words[1] for script in SCRIPTS for command in commands_of(script) if command.words[1:]}
    assert {"run", "report", "setup"} <= called


@pytest.fixture
def machine(tmp_path):
    """Run a script as a runner does, where ``nightbench run`` ends with a code; its own code."""
    for place in (".venv/bin", "nightbench/.venv/bin", "bin"):
        (tmp_path / place).mkdir(parents=True)
    for program in (".venv/bin/nightbench", "nightbench/.venv/bin/nightbench", "bin/make", "bin/git"):
        (tmp_path / program).write_text(STUB)
        (tmp_path / program).chmod(0o755)

    def run(script, code):
        environment = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "CODE_OF_THE_RUN": str(code),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
        }
        shell = ["bash", "-e", "-o", "pipefail", "-c", script]
        return subprocess.run(shell, cwd=tmp_path, env=environment, check=False).returncode

    return run


def holds(condition, code, *, failed):
    """Whether GitHub takes a step with this condition; what it understands here is all that the file uses."""
    if "always()" not in condition and failed:
        return False
    python = condition.replace("steps.night.outputs.code", repr(code)).replace("always()", "True")
    python = python.replace("&&", " and ").replace("||", " or ")
    assert re.fullmatch(r"[\w'\s=!()]+", python), condition
    return eval(python, {"__builtins__": {}})


def on_github(machine, tmp_path, code):
    """The state of the job, and the names of the steps that were taken."""
    state, taken = GREEN, []
    for step in STEPS:
        output = tmp_path / "output"
        known = output.read_text().strip().removeprefix("code=") if output.exists() else ""
        if holds(step.get("if", "True"), known, failed=state == RED):
            taken.append(step["name"])
            if "run" in step and machine(step["run"], code):
                state = RED
    return state, taken


@pytest.mark.parametrize(("code", "state"), [(0, GREEN), (1, RED), (2, RED), (3, GREEN), (130, RED)])
def test_an_exit_code_is_a_state_on_github(code, state, machine, tmp_path):
    assert on_github(machine, tmp_path, code)[0] == state


@pytest.mark.parametrize(
    ("code", "kept", "words"),
    [
        (0, True, "Targets met, no regression"),
        (1, True, "A target was missed, or something got worse"),
        (2, False, "Wrong command or settings, or interrupted"),
        (3, True, "Cannot be trusted"),
    ],
)
def test_what_was_measured_is_kept_on_github_and_the_reason_is_a_step(code, kept, words, machine, tmp_path):
    _, taken = on_github(machine, tmp_path, code)
    assert ("Keep the results for the next night" in taken) == kept
    assert words in taken
    assert "Keep the report" in taken


def test_an_installation_that_fails_measures_and_keeps_nothing(machine, tmp_path):
    (tmp_path / "bin/make").write_text("#!/bin/sh\nexit 1\n")
    state, taken = on_github(machine, tmp_path, 0)
    assert state == RED
    assert "Keep the results for the next night" not in taken


@pytest.mark.parametrize(("code", "state"), [(0, GREEN), (1, RED), (2, RED), (3, GREEN), (130, RED)])
def test_an_exit_code_is_a_state_on_gitlab(code, state, machine):
    assert machine("\n".join(JOB["before_script"]), code) == 0
    ended = machine("\n".join(JOB["script"]), code)
    assert ended == code
    assert (GREEN if ended in (0, *JOB["allow_failure"]["exit_codes"]) else RED) == state


def test_both_keep_the_results_between_nights():
    kept = [step["with"] for step in STEPS if step.get("uses", "").startswith("actions/cache")]
    assert {each["path"] for each in kept} == {"results"}
    (prefix,) = {each["restore-keys"] for each in kept if "restore-keys" in each}
    assert all(each["key"].startswith(prefix) for each in kept)
    assert JOB["cache"] == {"key": "nightbench-results", "paths": ["results/"], "when": "always"}
    assert JOB["variables"]["NIGHTBENCH_RESULTS"] == "$CI_PROJECT_DIR/results"


def test_no_two_benchmarks_meet():
    assert GITHUB["concurrency"] == {"group": "benchmark", "cancel-in-progress": False}
    assert JOB["resource_group"] == "benchmark"
