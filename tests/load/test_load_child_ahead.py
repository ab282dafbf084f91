"""The generator's process started ahead of what it is told: it takes the next run, or ends without one."""

import asyncio
from pathlib import Path

import pytest
from load import child_generators

from nightbench.load.child import run_in_child, start_child

TESTS = Path(__file__).parents[1]
ECHO = f"{child_generators.echo.__module__}:{child_generators.echo.__qualname__}"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def test_a_process_that_was_started_ahead_makes_the_run():
    async def main():
        process = await start_child(ECHO)
        result = await run_in_child(
            child_generators.echo,
            {"users": 3},
            on_progress=lambda _: None,
            stop=asyncio.Event(),
            grace=5.0,
            started=process,
        )
        return process, result

    process, result = asyncio.run(main())
    assert (result["pid"], result["spec"], process.returncode) == (process.pid, {"users": 3}, 0)


def test_one_that_is_never_told_anything_ends_in_silence():
    async def main():
        process = await start_child(ECHO)
        process.stdin.close()
        said = await asyncio.wait_for(process.communicate(), 30)
        return process.returncode, said

    assert asyncio.run(main()) == (0, (b"", b""))
