"""What runs shards: clocks, places, refusals, and the end of all when one is lost. Pure."""

import asyncio
from dataclasses import dataclass, replace

import pytest
from builders import websocket_measurement
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbench.errors import ConfigurationError, MeasurementError, NotBegunError
from nightbench.history.fingerprint import fingerprint as parts_of_night
from nightbench.host import fingerprint
from nightbench.load.clocks import MAX_UNCERTAINTY_MS, Clock, Trip
from nightbench.load.fleet import lead_seconds
from nightbench.load.machines import Station, as_one_host, check_same, described, placed, start_seconds
from nightbench.load.messages import message_of, value_of
from nightbench.load.shards import run_parts

HOST = fingerprint()


def station(number, free=1, machine=None, **host):
    name = machine or f"machine-{number}"
    return Station(
        f"tcp://10.0.0.{number}:1", f"id-{number}", free, {**HOST, "machine": name, **host}, Clock(0, 0)
    )


@settings(max_examples=40)
@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=9),
)
def test_a_clock_is_known_to_half_of_the_quickest_trip(ahead, ways):
    now, trips = 10**15, []
    for there, back in ways:
        trips.append(Trip(now, now + there + ahead, now + there + back))
        now += there + back
    clock = Clock.of(trips)
    assert abs(clock.ahead - ahead) <= clock.uncertainty + 1
    assert clock.uncertainty == min(there + back for there, back in ways) // 2


def test_a_clock_that_is_not_known_well_enough_is_told():
    limit = round(MAX_UNCERTAINTY_MS * 1e6)
    assert Clock(10**12, limit).problem is None  # however far: the start is moved by it
    assert "known to 51 ms only (limit 50 ms)" in Clock(0, limit + 10**6).problem


@settings(max_examples=40)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(1, 12))
def test_no_station_gets_more_shards_than_it_may_and_none_two_before_all_have_one(free, shards):
    stations = [station(number, count) for number, count in enumerate(free)]
    if sum(free) < shards:
        with pytest.raises(ConfigurationError):
            placed(stations, shards, setting="S", value="v")
        return
    crew = placed(stations, shards, setting="S", value="v")
    load = {each.address: crew.count(each) for each in stations}
    assert len(crew) == shards
    assert all(load[each.address] <= each.free for each in stations)
    spare = [each for each in stations if load[each.address] < each.free]
    assert all(load[one.address] >= max(load.values()) - 1 for one in spare)


def test_too_few_threads_are_refused_with_the_numbers_and_the_way_out():
    with pytest.raises(ConfigurationError) as caught:
        placed([station(1), station(2)], 4, setting="NIGHTBENCH_RUN__DASK", value="tcp://s:8786")
    assert str(caught.value) == (
        "NIGHTBENCH_RUN__DASK = 'tcp://s:8786': the plan has 4 shards, and 2 workers with 2 free threads there: "
        "each shard needs a thread of its own; start more workers, give each more threads (--nthreads), or ask "
        "for fewer shards"
    )


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"python": "CPython 3.9.1"}, "Python CPython 3.9 instead of"),
        ({"packages": {**HOST["packages"], "nightbench": "9"}}, "nightbench 9 instead of"),
        ({"packages": {}}, "prefect None instead of"),
    ],
)
def test_another_version_is_refused(other, told):
    with pytest.raises(ConfigurationError, match=told):
        check_same("tcp://w:1", {**HOST, **other}, setting="S")
    check_same("tcp://w:1", HOST, setting="S")


def test_several_machines_are_one_host_that_is_not_this_one():
    crew = (
        station(1, machine="a", cpu="X", cores=2),
        station(2, machine="b", cpu="Y", cores=4),
        station(3, machine="b", cpu="Y", cores=4),
    )
    whole = as_one_host(crew, fleet="Dask")
    assert (whole["cpu"], whole["cores"], whole["fleet"]) == ("X + Y", 6, "Dask of 2 machines")
    assert whole == as_one_host(tuple(reversed(crew)), fleet="Dask")
    alone = as_one_host(crew[:1], fleet="Dask")
    assert (alone["machine"], alone["fleet"]) == ("a", "Dask of 1 machine")
    assert [each["machine"] for each in described(crew)] == ["a", "b", "b"]


def test_interpreters_start_beside_those_of_their_own_machine_only():
    crew = (
        station(1, machine="a", cores=2),
        station(2, machine="b", cores=2),
        station(3, machine="b", cores=2),
    )
    assert start_seconds(crew) == lead_seconds(2, 2)


@pytest.mark.parametrize(
    "error", [ConfigurationError("S", "v", "p", "w"), MeasurementError("why"), NotBegunError()]
)
def test_what_was_raised_elsewhere_is_raised_here(error):
    with pytest.raises(type(error)) as caught:
        value_of(message_of(error))
    assert str(caught.value) == str(error)


@dataclass(frozen=True)
class Spec:
    outcome: object
    start_at: int | None = None


@dataclass(frozen=True)
class Seen:
    given_up: str | None = None


class Crew:
    """Runs what is staged; whoever is not lost goes on until it is told to end."""

    is_here, host, details = True, {}, {}

    async def run(self, _shard, _generator, spec, *, stop, **_bounds):
        if isinstance(spec.outcome, Exception):
            raise spec.outcome
        await stop.wait()
        if spec.outcome == "not begun":
            raise NotBegunError
        return Seen("interrupted")


def parts_of(*outcomes, stopped=False):
    async def main():
        stop = asyncio.Event()
        if stopped:
            stop.set()
        specs = [Spec(outcome) for outcome in outcomes]
        return await run_parts(
            print, specs, crew=Crew(), on_progress=print, stop=stop, grace=1.0, patience=1.0
        )

    return asyncio.run(main())


def test_the_loss_of_one_ends_the_others_and_is_told():
    parts = parts_of("going", MeasurementError("the worker was lost"))
    assert parts.given_up == "shard 0: interrupted; shard 1: the worker was lost"


def test_one_that_is_lost_before_any_began_is_why_there_is_nothing():
    with pytest.raises(MeasurementError, match="was lost"):
        parts_of("not begun", MeasurementError("the worker was lost"))


def test_an_end_before_the_load_is_no_failure():
    with pytest.raises(NotBegunError):
        parts_of("not begun", "not begun", stopped=True)


def test_a_fleet_is_a_part_of_the_fingerprint_and_this_machine_is_not():

    night = websocket_measurement()
    elsewhere = replace(night, host={**night.host, "fleet": "Dask of 2 machines"})
    assert "fleet" not in parts_of_night(night)
    assert parts_of_night(elsewhere) == {**parts_of_night(night), "fleet": "Dask of 2 machines"}
