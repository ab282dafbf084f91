from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))
sys.path.insert(0, str(Path(__file__).parent))

import slot_scene
import stack as stacks

IN_THIS_ORDER = ("serve", "form", "slots", "artifacts", "faults", "other", "restart")
"""Of the files: pictures show few runs, and at last the stack is killed."""


def pytest_collection_modifyitems(items):
    """One test may be the one for which the stack is started, and another the one that waits for a run."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("served"):
            item.add_marker(pytest.mark.timeout(600))
    items.sort(key=lambda item: _place(item.path.stem))


def _place(file: str) -> int:
    name = file.removeprefix("test_serving_")
    return IN_THIS_ORDER.index(name) if name in IN_THIS_ORDER else -1


@pytest.fixture(scope="session")
def stack_cache(tmp_path_factory) -> Path:
    """Where the templates lie: the project's cache under make, so that they are made once."""
    given = os.environ.get("NIGHTBENCH_CACHE")
    return Path(given) if given else tmp_path_factory.mktemp("stack-cache")


@pytest.fixture(scope="session")
def stack(stack_cache, tmp_path_factory) -> stacks.Stack:
    """One real ``nightbench serve`` for all tests."""
    with stacks.served(stack_cache, tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="session")
def side_by_side(stack, tmp_path_factory):
    """Runs that load the same subject, see `slot_scene`."""
    with stack.taking(9):
        return slot_scene.side_by_side(stack, tmp_path_factory.mktemp("slots"))
