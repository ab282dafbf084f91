"""A starved generator: the run is invalid, and a finding says that it is the generator, both for one reason."""

import pytest
from diagnosing import PLAN, health, histogram, kinds, load_of
from running import load

from nightbench.database.diagnosis.figures import LoadFigures
from nightbench.database.diagnosis.limits import limit_findings
from nightbench.database.finding import Diagnosis
from nightbench.database.metrics import database_validity
from nightbench.database.observation import Observation
from nightbench.database.result import DatabaseResult, Rows, merged
from nightbench.database.starvation import starvation
from nightbench.load import health as health_module
from nightbench.load.shards import Parts

LATE = "this shard was ready 2.0 s after the start that was agreed on: use fewer shards or a quieter machine"
GENERATOR = ("limited_by_generator", "generator")


def findings(seen):
    return limit_findings(PLAN, LoadFigures.of(seen), Observation())


def validity(seen):
    return database_validity(DatabaseResult(seen, Rows("", 0, 0, {}, {}), {}, Observation(), Diagnosis()))


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (load_of(health=health(cpu_seconds=9.5)), "the generator used 95% of a core"),
        (load_of(health=health(run_delay=0.6)), "waited 60% of the time for a core"),
        (load_of(health=health(tick_lag=histogram(80))), "clock ticks were late by 80 ms"),
        (load_of(health=health(gc_pause_max_ms=300)), "paused the generator for 300 ms"),
        (load_of(send_lag=70), "sends were late by 70 ms"),
        (load_of(starved=(LATE,)), LATE),
    ],
)
def test_what_makes_the_run_invalid_is_found_as_what_limits_it(seen, says):
    (reason,) = validity(seen).reasons
    (finding,) = findings(seen)
    assert says in reason
    assert kinds([finding]) == [GENERATOR]
    assert reason in finding.text
    assert finding.evidence["reasons"] == [reason]


def test_the_way_out_is_that_of_the_reason():
    (finding,) = findings(load_of(starved=(LATE,)))
    assert "use fewer shards" in finding.text
    assert "shards" not in finding.suggestion


def test_a_generator_that_had_time_for_everything_is_accused_of_nothing():
    assert validity(load_of()).valid
    assert findings(load_of()) == ()


def test_a_run_whose_generator_was_starved_says_so_itself(postgres, monkeypatch):
    monkeypatch.setattr(health_module, "MAX_CPU_SHARE", -1.0)
    result = load(postgres.dsn, queries=20, warmup=0)
    reasons = database_validity(result).reasons
    assert any("of a core (limit -100%)" in each for each in reasons)
    assert result.load.starved == reasons
    assert GENERATOR in kinds(result.diagnosis.findings)


def test_one_starved_shard_of_many_is_named_though_its_times_are_few_among_all():
    fine = load_of()
    late = health(tick_lag=histogram(80))
    starved = load_of(health=late, starved=starvation(late, fine.times))
    (reason,) = validity(merged(Parts([fine, starved, *[fine] * 198], {}))).reasons
    assert reason.startswith("shard 1: clock ticks were late by 80 ms")
