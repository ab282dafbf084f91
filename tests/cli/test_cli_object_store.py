"""Results in an object store: a night is judged there, and every command looks and writes there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest
from builders import websocket_measurement
from cli.storing import P95
from object_store import BUCKET, SECRET, s3_server

from nightbench.cli import run_command
from nightbench.history.store import HistoryStore
from nightbench.measurement import Measurement, Metric
from nightbench.night import Night
from nightbench.settings import Settings

ROOT = f"s3://{BUCKET}/results"
EARLIER = 10


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


def measured(number: int, **changes: Any) -> Measurement:
    """A night: noise of a percent, and the one that is judged is slow."""
    level = 20 * (1 + 0.01 * (number % 3 - 1)) * (1.3 if number == EARLIER else 1)
    night = websocket_measurement(number=number, windows=())
    return replace(night, metrics=(Metric(P95, level, "ms", 400),), windows=(), **changes)


def test_a_regression_is_found_told_and_accepted(
    s3: str, clean_settings: None, ran: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NIGHTBENCH_RESULTS", ROOT)
    earlier = HistoryStore(tmp_path / "results")
    for number in range(EARLIER):
        earlier.save(measured(number), ())
    fsspec.filesystem("s3").put(f"{earlier.root}/", ROOT, recursive=True)
    tonight = measured(EARLIER)
    night = Night(Settings(results=ROOT, cache=tmp_path, outbox=tmp_path / "outbox"), tonight.night_id)
    for run in (tonight, replace(tonight, role="rerun", run_id=f"{tonight.run_id}-rerun")):
        night.record(run)
        (verdict,) = night.judge("full")
    assert verdict.judged is not None
    assert [(line.metric, line.state) for line in verdict.judged.lines] == [(P95, "regression")]
    listed = ran("history", "--last", "2", "--json", "-")
    assert SECRET not in listed
    assert json.loads(listed)["runs"][0]["regressions"] == [P95]
    ran("ack", "accept", "last", "--why", "answers are longer since 4.2")
    assert [mark.why for mark in HistoryStore(ROOT).marks()] == ["answers are longer since 4.2"]


@pytest.mark.parametrize(
    "command",
    [
        "history marks",
        "compare last~1 last",
        "ack accept last --why x",
        "prune --keep 0 --yes",
    ],
)
def test_a_bucket_that_is_not_there_is_no_empty_history(
    s3: str, refused: Callable[..., None], command: str
) -> None:
    refused(
        command,
        {"NIGHTBENCH_RESULTS": "s3://elsewhere/results"},
        "",
        ["results = 's3://elsewhere/results'", "there is no bucket elsewhere", "check the bucket"],
    )


def test_where_nobody_answers_the_exit_code_is_that_of_an_unreadable_history(
    s3: str, clean_settings: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTBENCH_RESULTS", ROOT)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:hunter2@127.0.0.1:9")
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    assert run_command(["history"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "results = 's3://nightbench/results': runs cannot be read" in err
    assert "hunter2" not in err
    S3FileSystem.clear_instance_cache()
