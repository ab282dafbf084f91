"""Bad input: one clear line that names the setting and the value, exit code 2, no traceback, no secret."""

import json
import os
import shutil
from pathlib import Path

import pytest
from cli.storing import fill

from nightbench.cli import run_command

SECRET = "hunter2"


@pytest.fixture
def clean_settings(tmp_path, monkeypatch):
    """No settings but those of the test; everything that is made lies in its folder."""
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("NIGHTBENCH_")]:
        if variable != "NIGHTBENCH_RUN__SLOTS":
            monkeypatch.delenv(variable)
    monkeypatch.setenv("NIGHTBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def refused(clean_settings, capsys, monkeypatch):
    """Run a command with its environment and settings file; it has to name all of `names` and no secret."""

    def check(arguments, environment, settings_file, names):
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        if settings_file:
            Path("nightbench.toml").write_text(settings_file)
        Path("taken").write_text("a file")
        Path("cache").mkdir()

        code = run_command(arguments.split() if isinstance(arguments, str) else arguments)

        out, err = capsys.readouterr()
        assert code == 2, err
        assert err.startswith("nightbench: ")
        assert err.count("\n") == 1
        assert out == ""
        for name in names:
            assert name in err
        assert SECRET not in err
        assert "ter2" not in err  # nor a piece of it

    return check


@pytest.fixture(scope="session")
def _filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history") / "results"
    fill(folder)
    return folder


@pytest.fixture
def stored(_filled, clean_settings, monkeypatch):
    """The results folder with the history of `cli.storing`; every test has the same, to look at alone."""
    monkeypatch.setenv("NIGHTBENCH_RESULTS", str(_filled))
    return _filled


@pytest.fixture
def own(_filled, clean_settings, tmp_path):
    """The same for a test that writes to it; its files are those of all, and only to be replaced."""
    return shutil.copytree(_filled, tmp_path / "results", copy_function=os.link)


@pytest.fixture
def ran(capsys):
    """Run a command that has to succeed; gives what it printed, and nothing else was told."""

    def run(*arguments):
        assert run_command([*map(str, arguments)]) == 0, capsys.readouterr().err
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return run


@pytest.fixture
def document(ran):
    """Run a command with ``--json -``; stdout has one document and nothing else."""
    return lambda *arguments: json.loads(ran(*arguments, "--json", "-"))
