"""The end of alerts that share an issue, and of what nobody measures any more: nothing that is over is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from remembering import P95, night_id, opened, regression, well

from nightbench.alert_settings import AlertSettings
from nightbench.alerts.epoch import measured_alike
from nightbench.alerts.issues_api import IssuesApi
from nightbench.alerts.open_alert import OpenAlert
from nightbench.alerts.recovery import NOT_MEASURED, STALE, WELL_AGAIN, Tonight
from nightbench.alerts.resolving import Recovery, settle
from nightbench.alerts.state import OpenAlerts
from nightbench.night_alerts import NightAlerts
from nightbench.settings import Settings

LONG_AGO = STALE + timedelta(days=1)
TONIGHT = Tonight(night_id(9), "local", [well(9)])
BACK = f"back: full websocket {P95} (regression, {WELL_AGAIN}); resolve its issue by hand"


@pytest.fixture
def open_alerts(tmp_path: Path) -> OpenAlerts:
    return OpenAlerts(tmp_path)


def entry(setup: str, over: str = "", ago: timedelta = timedelta(), **changes: object) -> OpenAlert:
    at = datetime.now(UTC) - ago
    return opened(regression(), setup=setup, over=over, last_at=at, **changes)


def settled(open_alerts: OpenAlerts, *entries: OpenAlert, night: Tonight = TONIGHT) -> Recovery:
    open_alerts.change({each.key: each for each in entries}, datetime.now(UTC))
    return settle(open_alerts, night, waiting=(), api=None)


def kept(open_alerts: OpenAlerts) -> Sequence[str]:
    return [each.setup for each in open_alerts.read().entries]


def test_what_is_over_beside_another_setup_that_is_bad_is_named_and_kept(open_alerts: OpenAlerts) -> None:
    found = settled(open_alerts, entry("old kernel"), entry("new kernel", WELL_AGAIN))
    assert (found.sentences, found.records) == ((), ())
    (problem,) = found.problems
    assert problem.startswith(f"full websocket {P95} is well again, and its issue left open: another plan")
    assert kept(open_alerts) == ["old kernel", "new kernel"]


def test_a_setup_that_is_not_measured_any_more_ends_with_the_one_in_its_place(
    open_alerts: OpenAlerts,
) -> None:
    found = settled(open_alerts, entry("old kernel", ago=LONG_AGO), entry("new kernel", WELL_AGAIN))
    assert set(found.sentences) == {BACK, BACK.replace(WELL_AGAIN, NOT_MEASURED)}
    assert {record.decision for record in found.records} == {"recovered"}
    assert (found.problems, kept(open_alerts)) == ((), [])


def test_a_setup_that_tonight_measures_is_not_stale_however_long_ago_it_was_bad(
    open_alerts: OpenAlerts,
) -> None:
    measured = measured_alike(well(9).measurement)
    found = settled(open_alerts, entry(measured, ago=LONG_AGO), entry("new kernel", WELL_AGAIN))
    assert (found.sentences, len(found.problems)) == ((), 1)
    assert kept(open_alerts) == [measured, "new kernel"]


def test_a_stale_setup_alone_is_not_over(open_alerts: OpenAlerts) -> None:
    assert settled(open_alerts, entry("old kernel", ago=LONG_AGO)) == Recovery()
    assert kept(open_alerts) == ["old kernel"]


def test_two_setups_that_are_over_are_one_sentence_and_two_records(open_alerts: OpenAlerts) -> None:
    found = settled(open_alerts, entry("one", WELL_AGAIN), entry("other", WELL_AGAIN))
    assert found.sentences == (BACK,)
    assert len(found.records) == 2
    assert kept(open_alerts) == []


def test_another_place_or_environment_does_not_hold_it_up(open_alerts: OpenAlerts) -> None:
    others = (entry("s", metric="other"), entry("s", environment="staging"))
    assert settled(open_alerts, *others, entry("s", WELL_AGAIN)).sentences == (BACK,)
    assert len(kept(open_alerts)) == 2


def test_whatever_breaks_while_issues_are_resolved_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    monkeypatch.setattr(IssuesApi, "resolve", breaks)
    dsn = SecretStr("http://key@127.0.0.1:9/1")
    settings = Settings(results=tmp_path, sentry_dsn=dsn, alerts=AlertSettings(api_token="t"))
    over = replace(entry("s", WELL_AGAIN), last_night=night_id(0))
    OpenAlerts(settings.outbox_folder).change({over.key: over}, datetime.now(UTC))
    night = NightAlerts(settings, night_id(9))
    assert "UnicodeEncodeError" in "".join(night.deliver().reasons)
    assert kept(OpenAlerts(settings.outbox_folder)) == ["s"]
