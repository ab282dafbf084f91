"""Results in an object store: a night is judged there, and every command looks and writes there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import websocket_measurement
from cli.storing import P95
from object_store import BUCKET, SECRET, s3_server

from nightbench.cli import run_command
from nightbench.history.store import HistoryStore
from nightbench.measurement import Measurement
from nightbench.night import Night
from nightbench.settings import Settings
from nightbench.verdict.verdict import SuiteVerdict

ROOT = f"s3://{BUCKET}/results"
EARLIER = 10


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


def measured(number: int, **changes: Any) -> Measurement:
    noise = 1 + 0.01 * (number % 3 - 1)
    slow = 1.3 if number >= EARLIER else 1
    return replace(websocket_measurement(number=number, median_ms=20 * noise * slow, **changes), windows=())


def judged(number: int, cache: Path) -> SuiteVerdict:
    """A night of a block and a repetition, judged before and after it, as the flows do."""
    night = Night(Settings(results=ROOT, cache=cache, outbox=cache / "outbox"), measured(number).night_id)
    night.record(measured(number))
    night.judge("full")
    night.record(measured(number, role="rerun", run_id=f"{measured(number).run_id}-rerun"))
    (verdict,) = night.judge("full")
    return verdict


def state_of(verdict: SuiteVerdict) -> str:
    assert verdict.judged is not None
    return next(line.state for line in verdict.judged.lines if line.metric == P95)


def test_a_regression_is_found_told_and_accepted(
    s3: str, clean_settings: None, ran: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NIGHTBENCH_RESULTS", ROOT)
    for number in range(EARLIER):
        HistoryStore(ROOT).save(measured(number), ())
    assert state_of(judged(EARLIER, tmp_path)) == "regression"
    listed = json.loads(ran("history", "--last", "2", "--json", "-"))["runs"]
    assert P95 in listed[0]["regressions"]
    compared = json.loads(ran("compare", "baseline", "last", "--metric", P95, "--json", "-"))
    assert SECRET not in json.dumps(compared)
    assert compared["metrics"][0]["effect"] == pytest.approx(0.3, abs=0.05)
    ran("ack", "accept", "last", "--why", "answers are longer since 4.2")
    assert "answers are longer since 4.2" in ran("history", "marks")
    assert state_of(judged(EARLIER + 1, tmp_path)) == "no baseline"


@pytest.mark.parametrize(
    "command",
    [
        "history",
        "history show last",
        "history marks",
        "history pin last --why x",
        "compare last~1 last",
        "ack accept last --why x",
        "export out.csv",
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
