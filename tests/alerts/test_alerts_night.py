"""Whatever breaks a night, somebody is told."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import outboxes
import pytest
from builders import database_measurement, websocket_measurement, with_metric

from nightbench.alerts.outbox import Outbox
from nightbench.errors import ConfigurationError, MeasurementError
from nightbench.night import Night
from nightbench.running import open_night
from nightbench.settings import Settings


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(results=tmp_path / "results", cache=tmp_path / "cache", outbox=tmp_path / "outbox")


def waiting(settings: Settings) -> list[dict]:
    return outboxes.waiting(settings.outbox_folder)


def titles(settings: Settings) -> list[str]:
    return outboxes.titles(settings.outbox_folder)


async def within(settings: Settings, step) -> None:
    async with open_night("quick", settings) as night:
        result = step(night)
        if result is not None:
            await result


def test_a_night_that_breaks_is_alerted(settings):
    def breaks(_night):
        raise RuntimeError("postgresql://app:hunter2@db/app broke")

    with pytest.raises(RuntimeError):
        asyncio.run(within(settings, breaks))

    (event,) = waiting(settings)
    assert titles(settings) == ["night: failed"]
    assert event["contexts"]["benchmark"]["reason"] == "RuntimeError: postgresql://app:***@db/app broke"


def test_a_night_that_is_ended_at_once_is_alerted(settings):
    async def main():
        night = asyncio.create_task(within(settings, lambda _: asyncio.Event().wait()))
        await asyncio.sleep(0)
        night.cancel()
        with suppress(asyncio.CancelledError):
            await night

    asyncio.run(main())

    (event,) = waiting(settings)
    assert event["contexts"]["benchmark"]["reason"] == "interrupted: it ended at once"


def test_what_fails_after_the_last_alert_step_is_alerted(settings):
    asyncio.run(within(settings, lambda night: night.failed(None, None, MeasurementError("not delivered"))))
    assert titles(settings) == ["night: failed"]


def test_a_night_that_goes_well_says_nothing(settings):
    asyncio.run(within(settings, lambda night: night.record(database_measurement()) and None))
    assert titles(settings) == []


def test_an_alert_that_could_not_be_put_is_put_later_and_only_once(settings, tmp_path):
    night = Night(settings, "night")
    night.record(with_metric(websocket_measurement(), "message.response_time.p95", 5000))
    night.failed("full", "database", MeasurementError("gone"))
    (tmp_path / "outbox").write_text("in the way")
    with pytest.raises(MeasurementError, match=r"full database: failed.*misses its target"):
        night.put_alerts()
    (tmp_path / "outbox").unlink()

    assert night.put_alerts() == 2
    assert night.put_alerts() == 0
    assert titles(settings) == [
        "full database: failed",
        "full websocket: message.response_time.p95 misses its target",
    ]


def test_one_that_cannot_be_put_does_not_hold_up_the_others(settings, monkeypatch):
    night = Night(settings, "night")
    for suite in ("websocket", "database"):
        night.failed("full", suite, MeasurementError("gone"))
    put = Outbox.put

    def refuses_websocket(self, event, attachments):
        if event["tags"]["suite"] == "websocket":
            raise MeasurementError("no space left on device")
        return put(self, event, attachments)

    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "put", refuses_websocket)
        with pytest.raises(MeasurementError):
            night.put_alerts()
    assert night.put_alerts() == 1
    assert titles(settings) == ["full database: failed", "full websocket: failed"]


def test_two_threads_that_put_at_once_put_each_alert_once(settings, monkeypatch):
    night = Night(settings, "night")
    night.failed("full", "database", MeasurementError("gone"))
    put, inside, go_on = Outbox.put, threading.Event(), threading.Event()

    def slow(self, event, attachments):
        inside.set()
        go_on.wait(10)
        return put(self, event, attachments)

    monkeypatch.setattr(Outbox, "put", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(night.put_alerts)
        assert inside.wait(10)
        second = pool.submit(night.put_alerts)
        wait([second], timeout=0.05)
        go_on.set()
        assert sorted([first.result(10), second.result(10)]) == [0, 1]
    assert titles(settings) == ["full database: failed"]


def test_an_alert_links_to_the_run_and_to_the_reports(settings):
    alerts = settings.alerts.model_copy(update={"report_url": "https://reports.example/"})
    night = Night(settings.model_copy(update={"alerts": alerts}), "night")
    night.links["run"] = "https://prefect.example/runs/1"
    night.failed("full", "database", MeasurementError("gone"))
    night.put_alerts()
    links = {"run": "https://prefect.example/runs/1", "report": "https://reports.example/"}
    assert waiting(settings)[0]["contexts"]["links"] == links


# --- before anything is started ---------------------------------------------------------------------------


def started(settings: Settings) -> list[str]:
    steps: list[str] = []
    asyncio.run(within(settings, lambda _: steps.append("started")))
    return steps


@pytest.mark.parametrize("setting", ["results", "outbox"])
def test_a_folder_that_cannot_be_used_ends_the_night_before_it_begins(settings, tmp_path, setting):
    (tmp_path / "file").write_text("in the way")
    wrong = settings.model_copy(update={setting: tmp_path / "file"})
    with pytest.raises(ConfigurationError, match=setting):
        started(wrong)


@pytest.fixture
def port():
    """A port that nobody else can take and nobody answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("websocket_url", "ws://127.0.0.1:{}/chat?ticket=hunter2"),
        ("database_dsn", "postgresql://app:hunter2@127.0.0.1:{}/app"),
    ],
)
def test_an_address_that_nothing_answers_ends_the_night_before_it_begins(tmp_path, port, setting, address):
    settings = Settings(results=tmp_path / "results", **{setting: address.format(port)})
    with pytest.raises(ConfigurationError, match="refused") as caught:
        started(settings)
    assert "hunter2" not in str(caught.value)
    assert titles(settings) == ["night: failed"]
    assert "hunter2" not in json.dumps(waiting(settings))


def test_addresses_that_answer_are_no_obstacle(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ws://127.0.0.1:{server.getsockname()[1]}/chat"
        settings = Settings(results=tmp_path / "results", websocket_url=url)
        assert started(settings) == ["started"]


# --- where an error came from -----------------------------------------------------------------------------


def with_a_note(text: str) -> Exception:
    error = MeasurementError(text)
    error.add_note("from the generator: token=abcdef123456")
    return error


def test_the_traceback_of_a_failed_step_is_shown_when_asked_for(settings, monkeypatch, capsys):
    monkeypatch.setenv("NIGHTBENCH_DEBUG", "1")
    Night(settings, "night").failed("full", "websocket", with_a_note("password=hunter2 was refused"))
    err = capsys.readouterr().err
    assert "password=*** was refused" in err
    assert "from the generator: token=***" in err


def test_and_else_not(settings, monkeypatch, capsys):
    monkeypatch.delenv("NIGHTBENCH_DEBUG", raising=False)
    Night(settings, "night").failed("full", "websocket", with_a_note("gone"))
    assert capsys.readouterr().err == ""
