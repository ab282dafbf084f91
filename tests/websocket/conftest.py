import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def in_a_folder(tmp_path, monkeypatch):
    """An empty folder, and of the environment variables that plans name here one that is set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_SUCH_ONE", raising=False)
    monkeypatch.setenv("KEY_OF_IT", "hunter2")
