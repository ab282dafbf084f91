"""A stress test whose load others make: its steward asks its parent for it, checks and cleans up as ever."""

import asyncio
import threading
from typing import ClassVar

import pytest

from nightbench.database import loading, stress_test
from nightbench.errors import MeasurementError
from nightbench.load.fleet import LocalCrew
from nightbench.measurement import RunLabel
from nightbench.plan import DatabasePlan
from nightbench.subject import Subject


class Elsewhere(LocalCrew):
    """Children of this process that its other children do not know of."""

    is_here = False
    details: ClassVar = {"machines": ["another"]}

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass


class Fleet:
    def __init__(self):
        self.crews = []

    def crew(self, suite, shards, *, lead):
        self.crews.append(Elsewhere(shards, lead))
        return self.crews[-1]


def run(dsn, fleet, on_progress, *, stop_at_measure=False, **plan):
    async def main():
        stop = asyncio.Event()

        def heard(progress):
            on_progress(progress)
            if stop_at_measure and progress.phase == "measure":
                stop.set()

        return await stress_test.run(
            DatabasePlan(**{"queries": 100, "workers": 2, "warmup": 0.1, "tenants": 20, **plan}),
            Subject(dsn=dsn),
            RunLabel("quick", "night", "test"),
            on_progress=heard,
            stop=stop,
            fleet=fleet,
        )

    return asyncio.run(main())


def test_the_load_is_made_by_the_fleet_and_watched_by_the_steward(postgres):
    before, seen = postgres.state(), []
    measurement = run(postgres.dsn, fleet := Fleet(), seen.append)
    assert len(fleet.crews) == 1
    assert measurement.validity.complete
    assert measurement.operations["query"].ok == 100
    assert measurement.details["machines"] == ["another"]
    assert measurement.details["rows"]["removed"] > 0
    assert "measure" in {progress.phase for progress in seen}
    assert postgres.state() == before


def test_it_ends_early_when_it_is_told_to_and_nothing_stays(postgres):
    before = postgres.state()
    measurement = run(
        postgres.dsn, Fleet(), lambda _: None, stop_at_measure=True, queries=1_000_000, model="open", rate=50
    )
    assert "interrupted" in measurement.validity.reasons[0]
    assert postgres.state() == before


@pytest.mark.parametrize("gone", [True, False])
def test_nothing_is_removed_while_a_load_that_nobody_runs_any_more_still_writes(monkeypatch, gone):
    waited, stop = [], threading.Event()

    def ask(_specs, _on_progress):
        if gone:
            stop.set()
        raise MeasurementError("whoever ran the load is gone")

    monkeypatch.setattr(loading, "ask_parent", ask)
    monkeypatch.setattr(loading.time, "sleep", waited.append)
    with pytest.raises(MeasurementError):
        loading.by_parent((), print, stop)
    assert waited == ([loading.UNHEARD_SECONDS] if gone else [])
