"""The connection to a Dask cluster that breaks between the look at its workers and the load."""

import asyncio

import pytest

from flows.fleet.dask import _entered
from nightbench.errors import ConfigurationError


class Runner:
    """A task runner whose scheduler is gone when it connects."""

    def __init__(self) -> None:
        self.seen = []

    def __enter__(self):
        self.seen.append("enter")

    def __exit__(self, *_):
        self.seen.append("exit")

    @property
    def client(self):
        raise OSError("Timed out trying to connect\nto tcp://pam:hunter2@scheduler:8786")


def test_a_scheduler_that_is_gone_is_one_line_and_the_runner_is_left():
    runner = Runner()

    async def scene():
        async with _entered(runner, "tcp://scheduler:8786"):
            raise AssertionError

    with pytest.raises(ConfigurationError, match="no Dask scheduler answers there: Timed out") as refused:
        asyncio.run(scene())
    assert str(refused.value).startswith("NIGHTBENCH_RUN__DASK = 'tcp://scheduler:8786'")
    assert "\n" not in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert runner.seen == ["enter", "exit"]
