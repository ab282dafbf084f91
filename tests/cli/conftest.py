"""Bad input: one clear line that names the setting and the value, exit code 2, no traceback, no secret."""

import os
from pathlib import Path

import pytest

from nightbench.cli import run_command

SECRET = "hunter2"


@pytest.fixture
def clean_settings(tmp_path, monkeypatch):
    """No settings but those of the test; everything that is made lies in its folder."""
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("NIGHTBENCH_")]:
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
