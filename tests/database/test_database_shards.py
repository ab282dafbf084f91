"""One stress test in several processes, and the end of one that was told to stop."""

import asyncio
import re
import threading

import pytest
from processes import load_generators
from running import metric

from nightbench.database import stress_test
from nightbench.database.metrics import database_validity
from nightbench.database.provisions import load_provisions
from nightbench.database.result import DatabaseSpec
from nightbench.database.stewardship import run_steward
from nightbench.errors import NotBegunError
from nightbench.load import fleet
from nightbench.measurement import RunLabel
from nightbench.plan import DatabasePlan
from nightbench.subject import Subject


def run(dsn, on_progress=lambda _: None, stop=None, **plan):
    plan = DatabasePlan(**{"queries": 300, "workers": 5, "warmup": 0.2, "tenants": 50, "shards": 2, **plan})
    spec = DatabaseSpec(plan, dsn, "test-run", load_provisions(plan))
    return run_steward(spec, on_progress, stop or threading.Event())


@pytest.mark.parametrize(
    "plan", [{"model": "open", "rate": 300}, {"model": "closed"}], ids=["open", "closed"]
)
def test_shards_do_together_what_one_would_have_done(postgres, plan):
    before, seen = postgres.state(), []
    result = run(postgres.dsn, seen.append, **plan)
    load = result.load
    assert database_validity(result).complete
    assert load.counted["query"].scheduled == load.counted["query"].ok == 300
    by_statement = {name: counts.ok for name, counts in load.counted.items() if name != "query"}
    assert by_statement == {
        "query[profile_lookup]": 75,
        "query[expense_listing]": 75,
        "query[budget_utilization]": 45,
        "query[conversation_history]": 45,
        "query[expense_insert]": 36,
        "query[expense_update]": 24,
    }
    assert metric(result, "query.response_time.p95") is not None
    assert (load.pool.size, load.pool.opened) == (5, 5)
    assert max(progress.active for progress in seen) <= 5
    assert postgres.state() == before


@pytest.fixture
def at_once(monkeypatch):
    """Shards that begin when they are ready, and do not wait for one another."""
    monkeypatch.setattr(fleet, "lead_seconds", lambda _count: 0.0)


@pytest.mark.usefixtures("at_once")
def test_all_shards_end_when_they_are_told_to(postgres):
    before, stop = postgres.state(), threading.Event()
    result = run(postgres.dsn, lambda _: stop.set(), stop, queries=1_000_000, model="open", rate=200)
    assert not database_validity(result).complete
    assert "shard 0: interrupted; shard 1: interrupted" in result.load.given_up
    assert postgres.state() == before


@pytest.mark.usefixtures("at_once")
def test_what_the_others_measured_is_kept_when_one_shard_is_lost(postgres):
    before, reports = postgres.state(), []
    at_work = "FROM pg_stat_activity WHERE application_name = 'nightbench' AND query <> ''"

    def lose_one(progress):
        # whichever shard it is of, and whenever the other was ready
        if progress.phase == "measure" and postgres.execute(f"SELECT count(*) {at_work}") == [(5,)]:
            reports.append(progress)
            if len(reports) == 2:  # both have been at it for a second
                load_generators()[1].kill()

    result = run(postgres.dsn, lose_one, queries=1_000_000, model="open", rate=200)
    assert not database_validity(result).complete
    assert re.search(r"shard \d: the load generator ended without a result", result.load.given_up)
    assert result.load.counted["query"].ok > 0
    assert postgres.state() == before


def test_a_run_that_is_stopped_before_its_load_has_not_begun(postgres):
    before = postgres.state()

    async def stopped():
        stop = asyncio.Event()
        stop.set()
        plan = DatabasePlan(queries=100, workers=2, tenants=50)
        label = RunLabel("quick", "night", "test")
        await stress_test.run(plan, Subject(dsn=postgres.dsn), label, on_progress=print, stop=stop)

    with pytest.raises(NotBegunError):
        asyncio.run(stopped())
    assert postgres.state() == before
