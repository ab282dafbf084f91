"""What users bring along: the plans that name it, and what is said of what cannot be used."""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nightbench.errors import ConfigurationError
from nightbench.plan import WebSocketPlan
from nightbench.websocket.provisions import load_provisions

SECRET = "hunter2"


def plan_of(**fields):
    return WebSocketPlan(**{"users": 4, "duration": 1, **fields})


def provided(plan, token=None):
    return asyncio.run(load_provisions(plan, token))


@dataclass
class Bad:
    """A plan whose surroundings are wrong, the files of it, and what the error has to say."""

    fields: dict
    says: list[str]
    files: dict[str, bytes] = field(default_factory=dict)


def refused(bad):
    """Write the files into the current folder, and read all of it; the error shows no secret."""
    os.mkfifo("pipe.csv")
    Path("zero.csv").symlink_to("/dev/zero")
    with Path("large.csv").open("wb") as file:
        file.truncate(256 * 2**20 + 1)  # a hole, which takes no room
    for name, content in bad.files.items():
        Path(name).write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        provided(plan_of(**bad.fields))
    error = str(caught.value)
    for text in bad.says:
        assert text in error
    assert SECRET not in error
    assert "\n" not in error
