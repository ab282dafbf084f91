"""What ``nightbench alerts flush`` writes into the dataset, also when it is interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest
from sentry_stub import serving

from nightbench.alert_rows import save_alert_rows
from nightbench.alerts.failure import Failure
from nightbench.cli import run_command
from nightbench.history.store import HistoryStore
from nightbench.night_alerts import NightAlerts
from nightbench.report.layout import Page
from nightbench.settings import Settings

SUITES = ("database", "websocket")
TIERS = ("full", "stress")


@pytest.fixture
def night(clean_settings: None, tmp_path: Path) -> NightAlerts:
    """Four alerts wait, and their night was killed."""
    night = NightAlerts(Settings(results=tmp_path / "results"), "n1")
    night.find((), [Failure(tier, suite, "local", "n1", "gone") for tier in TIERS for suite in SUITES])
    assert night.put() == 4
    return night


def states(folder: Path) -> list[str | None]:
    return sorted(HistoryStore(folder / "results").alerts(night="n1")["state"])


def flush(monkeypatch: pytest.MonkeyPatch) -> int:
    with serving(200) as stub:
        monkeypatch.setenv("NIGHTBENCH_SENTRY_DSN", stub.dsn)
        return run_command(["alerts", "flush"])


def test_what_a_killed_night_put_has_its_rows_when_it_is_flushed(
    night: NightAlerts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert flush(monkeypatch) == 0
    assert states(tmp_path) == ["delivered"] * 4


@pytest.mark.parametrize("known", [True, False], ids=["with rows", "without rows"])
def test_what_was_delivered_before_an_interrupt_is_written_down(
    night: NightAlerts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    if known:
        settings = Settings(results=tmp_path / "results")
        save_alert_rows(settings, HistoryStore(settings.results), night.records, night.deliver())
        assert states(tmp_path) == ["undelivered"] * 4
    told: list[str] = []

    def interrupted_at_the_third(_: Page, line: str, **__: str) -> None:
        told.append(line)
        if len(told) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Page, "paragraph", interrupted_at_the_third)
        assert flush(patched) == 130
    assert states(tmp_path).count("delivered") == 3
    assert flush(monkeypatch) == 0
    assert states(tmp_path) == ["delivered"] * 4
