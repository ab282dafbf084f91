"""The ten minutes of the guide, for real: its commands load a WebSocket and a PostgreSQL that are not the embedded ones."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import uvicorn
from builders import database_measurement
from docs.loads import no_flow_is_run
from docs.reading import BLOCKS
from docs.scene import Scene
from docs.shell import commands_of

from nightbench.errors import ExitCode
from nightbench.history.store import HistoryStore
from nightbench.reference.backend import CHAT_PATH, create_app
from nightbench.reference.postgres import load_dsn, postgres_instance, reference_template
from nightbench.reference.staging import Staging

CACHE = Path(os.environ.get("NIGHTBENCH_CACHE") or Path(__file__).parents[2] / ".cache")
PAGE = "docs/your-backend.md"
TOKEN = "a-token-of-this-test"
SHELL = "".join(block.text for block in BLOCKS if block.page == PAGE and block.language == "sh")
"""All of it is typed into one shell."""

pytestmark = pytest.mark.slow


@contextmanager
def backend(dsn):
    """The reference backend in a thread: its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(dsn, TOKEN, Staging()), log_config=None, lifespan="on"))
    serving = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    serving.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert serving.is_alive(), "the backend has ended"
            assert time.monotonic() < deadline, "the backend does not start"
            time.sleep(0.01)
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}{CHAT_PATH}"
    finally:
        server.should_exit = True
        serving.join()


def addresses(url, dsn, database):
    """What the page says, and what it stands for here."""
    return {
        "wss://staging.example.org/api/v1/pam": url,
        "…": TOKEN,
        "postgresql://authenticator:…@db.example.org:5432/postgres": dsn,
        "postgresql://owner:…@db.example.org:5432/postgres": database.admin_dsn,
    }


@pytest.fixture(scope="module")
def went(tmp_path_factory, sentry):
    """What the commands ended with, the runs that there are afterwards, and how many tagged rows stayed."""
    with postgres_instance(CACHE, "test-docs", reference_template()) as database:
        dsn = load_dsn(database)
        with backend(dsn) as url, pytest.MonkeyPatch.context() as patch:
            no_flow_is_run(patch)
            folder = tmp_path_factory.mktemp("ten")
            scene = Scene(folder, None, patch, sentry, addresses(url, dsn, database))
            patch.setenv("NIGHTBENCH_CACHE", str(CACHE))
            store = HistoryStore(folder / "results")
            # what the flow of step 7 would leave
            store.save(database_measurement(environment="staging"), ())
            left = set(store.run_ids())
            codes = {command.words[1:]: scene.run(command, patch) for command in commands_of(SHELL)}
            store = HistoryStore(folder / "results")
            runs = [store.run(run_id) for run_id in store.run_ids() if run_id not in left]
        with psycopg.connect(database.admin_dsn) as connection:
            stayed = connection.execute("SELECT count(*) FROM expenses WHERE source LIKE 'nightbench:%'")
            return codes, runs, stayed.fetchone()[0]


def loads(words):
    """Whether a command loads here."""
    return words[:1] in (("websocket",), ("database",)) and words[1].startswith("--")


def test_every_command_does_what_the_page_says(went):
    codes, _, _ = went
    assert {words: code for words, code in codes.items() if code and not loads(words)} == {}


def test_every_load_is_measured_and_kept(went):
    codes, runs, _ = went
    loading = [words for words in codes if loads(words)]
    assert [words[0] for words in loading] == ["websocket", "websocket", "database"]
    # how busy the machine is decides whether a run is valid and in time, and is not what is asked here
    assert {codes[words] for words in loading} <= {ExitCode.MET, ExitCode.MISSED, ExitCode.INVALID}
    assert sorted(run.suite for run in runs) == ["database", "websocket", "websocket"]
    assert {run.row["environment"] for run in runs} == {"try"}, "apart from the nights"


def test_the_subject_answers_all_that_it_is_asked(went):
    _, runs, _ = went
    for run in runs:
        counts = run.row["operations"]
        assert {name: each for name, each in counts.items() if each["failed"] or not each["ok"]} == {}


def test_the_plan_of_the_page_names_its_kinds_of_messages(went):
    _, runs, _ = went
    kinds = [name for run in runs for name in run.row["operations"] if name.startswith("message[")]
    assert sorted(kinds) == ["message[again]", "message[ask]"]


def test_the_subject_is_clean_afterwards(went):
    _, _, stayed = went
    assert stayed == 0
