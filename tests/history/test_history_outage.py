"""An object store that is out of reach: soon told, never as an empty history, and without its secrets."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import fsspec
import pytest
from botocore.retries.standard import ExponentialBackoff
from builders import websocket_measurement
from http_served import http_served
from object_store import SECRET, credentials

from nightbench.errors import ConfigurationError, ExitCode, MeasurementError, NightbenchError
from nightbench.history import objects
from nightbench.history.reach import UnreachableError
from nightbench.history.store import HistoryStore
from nightbench.night import Night
from nightbench.settings import Settings

ROOT = "s3://nightbench/results"
REFUSAL = (
    b"<Error><Code>SignatureDoesNotMatch</Code><Message>The signature does not match " + SECRET.encode()
    + b"</Message></Error>"
)  # fmt: skip


class Refusing(BaseHTTPRequestHandler):
    """Answers everything with 403."""

    def do_GET(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", str(len(REFUSAL)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(REFUSAL)

    do_HEAD = do_PUT = do_GET  # noqa: N815  # as http.server calls them


@pytest.fixture
def refusing() -> Iterator[int]:
    """The port of a store that refuses everybody."""
    with http_served(Refusing) as port:
        yield port


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, list[socket.socket]]]:
    """The port of a store that takes connections and never answers, and the connections; little patience is needed."""
    monkeypatch.setattr(objects, "READ_TIMEOUT", 0.1)
    monkeypatch.setattr(objects, "CONNECT_TIMEOUT", 0.2)
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], taken
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for each in taken:
        each.close()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Make the environment name a store at a port."""
    yield lambda port: credentials(monkeypatch, f"http://127.0.0.1:{port}")
    fsspec.filesystem("s3").clear_instance_cache()


def test_one_that_refuses_is_a_matter_of_the_configuration(at: Any, refusing: int) -> None:
    at(refusing)
    with pytest.raises(
        ConfigurationError, match=r"results = 's3://nightbench/results': runs cannot"
    ) as caught:
        HistoryStore(ROOT).runs()
    assert "the signature does not match ***" in str(caught.value)
    assert "check the bucket, the credentials" in str(caught.value)


def test_one_that_never_answers_is_asked_twice(at: Any, silent: tuple[int, list[socket.socket]]) -> None:
    port, taken = silent
    at(port)
    with pytest.raises(UnreachableError, match="try again later") as caught:
        HistoryStore(ROOT).nights("local")
    assert caught.value.exit_code is ExitCode.INVALID
    assert len(taken) == objects.ATTEMPTS


def test_before_the_load_a_night_does_not_begin(
    at: Any, silent: tuple[int, list[socket.socket]], tmp_path: Path
) -> None:
    at(silent[0])
    night = Night(
        Settings(results=ROOT, cache=tmp_path, outbox=tmp_path / "outbox"), "20261124T031500Z-night"
    )
    found: list[NightbenchError] = []

    def check() -> None:
        try:
            asyncio.run(night.check())
        except NightbenchError as error:
            found.append(error)

    checking = threading.Thread(target=check, daemon=True)  # which is left behind when it waits for ever
    checking.start()
    checking.join(20)
    (error,) = found
    assert error.exit_code is ExitCode.INVALID
    assert "results = 's3://nightbench/results': cannot be written to: no answer in time" in str(error)
    assert str(error).endswith("try again later")


def test_after_the_load_what_was_measured_is_kept_and_the_night_is_no_pass(
    at: Any, refusing: int, tmp_path: Path
) -> None:
    at(refusing)
    measurement = websocket_measurement(windows=())
    night = Night(Settings(results=ROOT, cache=tmp_path, outbox=tmp_path / "outbox"), measurement.night_id)
    for step in (lambda: night.record(measurement), lambda: night.judge("full")):
        with pytest.raises(NightbenchError, match="signature does not match") as caught:
            step()
        night.failed("full", "websocket", caught.value, tell=False)
    outcome = night.outcome()
    assert [verdict.measurement for verdict in outcome.verdicts] == [measurement]
    assert outcome.exit_code is ExitCode.INVALID
    assert outcome.kept_aside is not None
    assert [path.stem for path in outcome.kept_aside.iterdir()] == [measurement.run_id]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://user:hunter2@127.0.0.1:9/x", "http://***@127.0.0.1:9/x"),
        ("http://hunter2@127.0.0.1:9", "http://***@127.0.0.1:9"),
        ("hunter2", "its address"),
    ],
)
def test_an_error_never_shows_what_the_address_of_a_store_holds(
    monkeypatch: pytest.MonkeyPatch, address: str, shown: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)

    def refuse(self: Any, path: str, **options: Any) -> None:
        raise RuntimeError(f"could not connect to {address}")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.ls", refuse)
    with pytest.raises(ConfigurationError) as caught:
        HistoryStore("memory://nightbench").runs()
    assert f"could not connect to {shown}" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_failed_write_says_so_too(at: Any, refusing: int) -> None:
    at(refusing)
    with pytest.raises(MeasurementError, match="it was not kept elsewhere"):
        HistoryStore(ROOT).save(websocket_measurement(windows=()), ())
