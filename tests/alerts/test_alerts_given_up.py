"""What was put and dropped before it arrived was never told: the next night tells it."""

from __future__ import annotations

from pathlib import Path

import pytest
from remembering import judged, line_of, night_id
from sentry_stub import serving

from nightbench.alert_charts import AlertCharts
from nightbench.alert_settings import AlertSettings
from nightbench.cli import run_command
from nightbench.night_alerts import NightAlerts
from nightbench.settings import Settings

METRICS = [f"m{number}.p95" for number in range(5)]
KEPT = 2


@pytest.fixture(autouse=True)
def _no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing has tests of its own, and takes a second."""
    monkeypatch.setattr(AlertCharts, "chart_of", lambda *_: None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(results=tmp_path / "results", alerts=AlertSettings(kept_events=KEPT))


def night(settings: Settings, number: int) -> NightAlerts:
    """A night on which all metrics are worse."""
    alerts = NightAlerts(settings, night_id(number))
    alerts.find([judged(*(line_of(metric=metric) for metric in METRICS), number=number)], ())
    alerts.put()
    return alerts


def decisions(of: NightAlerts) -> list[str]:
    return [record.decision for record in of.records]


def test_what_was_dropped_is_told_anew_and_what_waits_is_known(settings: Settings) -> None:
    first = night(settings, 0)
    assert first.deliver().dropped == len(METRICS) - KEPT
    second = night(settings, 1)
    assert decisions(second) == ["told"] * (len(METRICS) - KEPT) + ["known"] * KEPT


def test_what_a_night_dropped_that_was_killed_before_it_could_say_so_too(settings: Settings) -> None:
    night(settings, 0)
    assert decisions(night(settings, 1)) == ["told"] * (len(METRICS) - KEPT) + ["known"] * KEPT


def test_what_a_flush_reports_as_dropped_too(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night(settings, 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTBENCH_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("NIGHTBENCH_ALERTS__KEPT_EVENTS", str(KEPT))
    with serving(200) as stub:
        monkeypatch.setenv("NIGHTBENCH_SENTRY_DSN", stub.dsn)
        assert run_command(["alerts", "flush"]) == 3
        assert len(stub.events) == KEPT
    assert decisions(night(settings, 1)) == ["told"] * (len(METRICS) - KEPT) + ["known"] * KEPT
