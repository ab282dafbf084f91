"""A plan file, and what is said of one that cannot be used: one clear line, no secret."""

from pathlib import Path

import pytest

from nightbench.errors import ConfigurationError
from nightbench.plan.file import read_plan_file

SECRET = "hunter2"


@pytest.fixture
def plan_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name, content):
        path = Path(name)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def refused(plan_file):
    """Read a plan file; the error has to say all of `says`, and no secret."""

    def check(name, content, says):
        path = plan_file(name, content)
        with pytest.raises(ConfigurationError) as caught:
            read_plan_file(path)
        error = str(caught.value)
        for text in says:
            assert text in error
        assert SECRET not in error
        assert "\n" not in error
        assert len(error) < 1000

    return check
