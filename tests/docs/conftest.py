"""A reader's machine: a folder with a short history, and a Sentry that takes what it is sent."""

from pathlib import Path

import pytest
from cli.storing import fill
from docs.loads import nothing_is_loaded
from docs.scene import Scene
from sentry_stub import serving


@pytest.fixture(scope="session")
def history(tmp_path_factory) -> Path:
    """A dataset of six nights."""
    folder = tmp_path_factory.mktemp("history") / "results"
    fill(folder)
    return folder


@pytest.fixture(scope="session")
def sentry():
    """The DSN of a server that takes all."""
    with serving(200) as stub:
        yield stub.dsn


@pytest.fixture
def scene(tmp_path, history, sentry, monkeypatch) -> Scene:
    """A reader's shell in which nothing is loaded."""
    nothing_is_loaded(monkeypatch)
    return Scene(tmp_path, history, monkeypatch, sentry)
