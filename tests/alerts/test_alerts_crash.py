"""A crash is told by all means that are left, and the dataset knows what was told."""

from __future__ import annotations

from pathlib import Path

import pytest
from posted import put
from pydantic import SecretStr
from sentry_stub import Says, Stub, serving

from nightbench.alerts.outbox import Outbox
from nightbench.history.store import HistoryStore
from nightbench.night_alerts import NightAlerts
from nightbench.night_crash import Crash, tell_crash
from nightbench.settings import Settings

CRASH = Crash("nightly", "a" * 8, "killed, password=hunter2", {"run": "https://prefect.example/runs/1"})


def settings(folder: Path, dsn: str) -> Settings:
    return Settings(results=folder / "results", outbox=folder / "outbox", sentry_dsn=SecretStr(dsn))


def kinds(stub: Stub) -> list[str]:
    return [item.type for envelope in stub.envelopes for item in envelope.items]


def rows(folder: Path) -> list[tuple[str, str | None]]:
    found = HistoryStore(folder / "results").alerts()
    return list(zip(found["title"], found["state"], strict=True))


def test_a_crash_is_delivered_and_stands_in_the_dataset(tmp_path: Path) -> None:
    with serving(200) as stub:
        assert tell_crash(settings(tmp_path, stub.dsn), CRASH) == ""
        assert kinds(stub) == ["event", "check_in"]
    assert rows(tmp_path) == [("night: crashed", "delivered")]


def test_a_crash_that_cannot_be_posted_stands_there_as_undelivered(tmp_path: Path) -> None:
    lost = tell_crash(settings(tmp_path, "http://public@127.0.0.1:9/7"), Crash("quick", "a", "killed"))
    assert "cannot be reached" in lost
    assert rows(tmp_path) == [("quick: crashed", "undelivered")]


def test_with_an_outbox_that_cannot_be_written_it_is_posted_past_it(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("in the way")
    with serving(200) as stub:
        lost = tell_crash(settings(tmp_path, stub.dsn), CRASH)
        assert kinds(stub) == ["event", "check_in"]
        event = stub.events[0]
    assert event["fingerprint"] == ["crashed", "all", "all", "run", "local"]
    assert event["contexts"]["links"] == CRASH.links
    assert "'night: crashed' could not be kept in" in lost
    assert "it was posted past the outbox" in lost
    assert "hunter2" not in lost + str(event)
    assert rows(tmp_path) == [("night: crashed", "delivered")]


def test_an_outbox_that_is_full_gives_what_waits_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(Outbox(tmp_path / "outbox"), 1)
    monkeypatch.setattr(Outbox, "_write", _no_space)
    with serving(200) as stub:
        lost = tell_crash(settings(tmp_path, stub.dsn), CRASH)
        assert kinds(stub) == ["event", "event", "check_in"]
    assert "no space left" in lost
    assert Outbox(tmp_path / "outbox").pending() == []


def test_nothing_that_works_says_all_that_did_not(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("in the way")
    with serving(Says(403, body=b'{"detail": "wrong key"}')) as stub:
        lost = tell_crash(settings(tmp_path, stub.dsn), CRASH)
    assert "could not be kept" in lost
    assert lost.count("wrong key") == 2
    assert "no check-in (error)" in lost


def test_the_monitor_is_told_whatever_becomes_of_the_alert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: NightAlerts) -> None:
        raise RuntimeError("password=hunter2 broke")

    monkeypatch.setattr(NightAlerts, "deliver", breaks)
    with serving(200) as stub:
        lost = tell_crash(settings(tmp_path, stub.dsn), CRASH)
        assert kinds(stub) == ["check_in"]
    assert lost == "the crash could not be told: RuntimeError: password=*** broke"


def _no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")
