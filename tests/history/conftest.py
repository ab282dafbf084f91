"""A dataset with one file in each table."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_history_reading import dataset

from nightbench.history.store import HistoryStore


@pytest.fixture(scope="session")
def one_of_each(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To copy."""
    root = tmp_path_factory.mktemp("whole")
    dataset(root)
    return root


@pytest.fixture
def store(one_of_each: Path, tmp_path: Path) -> HistoryStore:
    """A copy of it, in `tmp_path`."""
    shutil.copytree(one_of_each, tmp_path, dirs_exist_ok=True)
    return HistoryStore(tmp_path)
