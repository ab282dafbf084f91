"""The reference backend as a run starts it: a child process with a lifeline."""

import asyncio
import json
import os
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from nightbench.reference.provide import embedded_reference
from nightbench.reference.staging import Staging

CACHE = Path(os.environ.get("NIGHTBENCH_CACHE") or Path(__file__).parents[2] / ".cache")


@contextmanager
def running(staging):
    """The subject of a reference backend staged so."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    context = embedded_reference(CACHE, staging)
    try:
        yield asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(90)
    finally:
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(90)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="session")
def healthy():
    """A backend without delay or fault."""
    with running(Staging(delay="fixed", delay_ms=0)) as subject:
        yield subject


def get_json(url):
    with urllib.request.urlopen(url) as response:
        return json.load(response)
