"""What a night starts before its first load: its generators find all imported that they need."""

import asyncio
from pathlib import Path

import pytest
from load import child_generators

from nightbench.load.child import run_in_child
from nightbench.provide import LOADING, provide
from nightbench.settings import Settings

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("suite", sorted(LOADING))
def test_generators_are_forked_with_what_loads_their_suite(suite, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    settings = Settings(
        websocket_url="ws://127.0.0.1:9", database_dsn="postgresql://127.0.0.1:9/x", results=tmp_path
    )

    async def main():
        async with provide(settings, frozenset({suite})):
            return await run_in_child(
                child_generators.known,
                LOADING[suite],
                on_progress=print,
                stop=asyncio.Event(),
                grace=5.0,
            )

    assert asyncio.run(main()) == list(LOADING[suite])
