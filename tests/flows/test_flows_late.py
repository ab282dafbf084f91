"""A scheduled run that begins long after its time, as they do in a row after a downtime."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from staged import raising

from nightbench import settings as settings_module
from nightbench.lateness import too_late

DUE = datetime(2026, 3, 29, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes_later", "late"),
    [(-30, False), (0, False), (119, False), (120, False), (120.1, True), (3 * 1440, True)],
)
def test_a_run_is_given_up_when_it_begins_later_than_the_setting_allows(minutes_later, late):
    assert bool(too_late(DUE, DUE + timedelta(minutes=minutes_later), 120)) is late


def test_a_run_that_somebody_asked_for_is_never_late():
    assert too_late(None, DUE, 0) == ""


def test_it_tells_the_times_the_setting_and_the_way_out():
    why = too_late(DUE, DUE + timedelta(hours=5), 90)

    for told in (
        "2026-03-29 03:15 UTC",
        "2026-03-29 08:15 UTC",
        "90 minutes",
        "NIGHTBENCH_RUN__LATE_MINUTES",
        "by hand",
    ):
        assert told in why


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001  # the zones are drawn as well
    st.integers(-720, 720),
    st.integers(0, 10_080),
    st.integers(0, 20_160),
)
def test_zones_make_no_difference(due, offset, late_minutes, after):
    due = due.replace(tzinfo=UTC)
    now = (due + timedelta(minutes=after)).astimezone(timezone(timedelta(minutes=offset)))

    assert bool(too_late(due, now, late_minutes)) is (after > late_minutes)


def test_a_late_night_measures_nothing_tells_no_monitor_and_has_a_state_of_its_own(
    api, prefect_server, settings, stages, monkeypatch
):
    from prefect.settings import temporary_settings

    import flows.ending
    from flows.nightly import nightly
    from flows.quick import quick

    posted = []
    monkeypatch.setattr("tasks.checkin.current_run", lambda: posted.append("asked"))
    monkeypatch.setattr(
        flows.ending,
        "current_run",
        lambda: _scheduled_run(datetime.now(UTC) - timedelta(minutes=settings.run.late_minutes + 1)),
    )
    stages.of["quick websocket"] = raising(AssertionError("it was measured"))

    async def both():
        return [await flow(quick=True, return_state=True) for flow in (nightly, quick)]

    with temporary_settings(updates={"api.url": prefect_server.api_url}), settings_module.use(settings):
        states = asyncio.run(both())

    assert [(state.type.value, state.name) for state in states] == [("CANCELLED", "TooLate")] * 2
    assert "NIGHTBENCH_RUN__LATE_MINUTES" in states[0].message
    assert stages.steps == []
    assert posted == []
    assert not settings.outbox_folder.exists()


def _scheduled_run(due):
    from uuid import uuid4

    from prefect.client.schemas.objects import FlowRun

    return FlowRun(id=uuid4(), flow_id=uuid4(), auto_scheduled=True, expected_start_time=due)
