"""A night learns the release of what it loads: once, within its time, and never at the price of the night."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import psutil
import pytest
from builders import verdict_of, websocket_measurement
from processes import survivors

from nightbench.blocks import Turn
from nightbench.calibration import HostCalibration
from nightbench.night import Night
from nightbench.release_command import FoundRelease, find_release
from nightbench.settings import Settings
from nightbench.subject import Subject
from nightbench.tiers import TIERS


def found(command, release=None, **options) -> FoundRelease:
    return asyncio.run(find_release(release, command, **options))


def test_without_release_and_command_nobody_knows_it():
    assert found([]) == (None, ())


def test_the_first_line_of_the_command_is_the_release():
    assert found(["printf", r"v2.4.1\nbuilt today\n"]) == ("v2.4.1", ())


def test_a_release_that_was_set_wins_and_the_command_is_not_run(tmp_path):
    ran = tmp_path / "ran"
    assert found(["touch", str(ran)], "v1") == ("v1", ())
    assert not ran.exists()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["no-such-program", "hunter2"], "'no-such-program': cannot be run: no such file"),
        (["false", "hunter2"], "'false': ended with exit code 1; run it by hand"),
        (["true", "hunter2"], "'true': it prints nothing"),
        (["printf", r"v1\tv2", "hunter2"], "'printf': a release is 1 to 64 printable characters"),
        (["printf", r"\377"], "'printf': what it prints is no UTF-8"),
        (["head", "-c", "100000", "/dev/zero"], "'head': prints more than 64 KiB"),
    ],
    ids=lambda given: given[0] if isinstance(given, list) else "",
)
def test_a_command_that_gives_none_is_a_note(command, says):
    release, (note,) = found(command)
    assert release is None
    assert note.startswith(
        "warning: the release of this night is not known: nightbench.toml: release_command = "
    )
    assert says in note
    assert "hunter2" not in note


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(tmp_path):
    pids = tmp_path / "pids"
    command = ["sh", "-c", f"sleep 60 & echo $$ $! > {pids}; wait"]
    release, (note,) = found(command, seconds=0.5)
    assert release is None
    assert "'sh': took longer than 0.5 s" in note
    started = [psutil.Process(int(pid)) for pid in pids.read_text().split() if psutil.pid_exists(int(pid))]
    assert not survivors(started)


@pytest.fixture
def night(tmp_path, monkeypatch):
    """One that loads nothing; `Night.measure` gives what it labelled."""

    async def labelled(_plan, _subject, label, **_options):
        return websocket_measurement(release=label.release)

    @asynccontextmanager
    async def nothing(_settings, _needs):
        yield Subject()

    monkeypatch.setattr("nightbench.night.load_test.run", labelled)
    monkeypatch.setattr("nightbench.night.provide", nothing)
    monkeypatch.setattr("nightbench.night.calibrate_host", lambda _folder: HostCalibration((), ()))

    def of(**settings) -> tuple[Night, list[str]]:
        notes: list[str] = []
        chosen = Settings(results=tmp_path, cache=tmp_path, **settings)
        return Night(chosen, "night", on_note=notes.append), notes

    return of


async def measured(night: Night):
    async with night.provided():
        return [await night.measure(TIERS["quick"], Turn("websocket")) for _ in range(2)]


def test_the_command_runs_once_a_night_and_every_run_has_its_release(night, tmp_path):
    count = f"echo >> {tmp_path}/count; echo v2.4.1"
    running, notes = night(release_command=["sh", "-c", count])
    runs = asyncio.run(measured(running))
    assert [run.release for run in runs] == ["v2.4.1"] * 2
    assert (tmp_path / "count").read_text() == "\n"
    assert running.outcome().release == "v2.4.1"
    assert not [note for note in notes if "release" in note]


def test_a_night_goes_on_without_its_release(night):
    running, notes = night(release_command=["false"])
    assert [run.release for run in asyncio.run(measured(running))] == [None, None]
    assert [note for note in notes if "release" in note] == notes[:1]
    assert not running.outcome().failures


def test_the_verdict_is_the_same_with_any_release():
    plain, named = websocket_measurement(), websocket_measurement(release="v2.4.1")
    assert verdict_of(plain).targets == verdict_of(named).targets
