"""``nightbench compare``: which runs a name means, what is compared, and what speaks against it."""

from __future__ import annotations

import pytest
from builders import websocket_measurement
from cli.storing import LAST, P95, night, run, save

from nightbench.history.store import HistoryStore


def metric(document, name=P95):
    return next(each for each in document["metrics"] if each["metric"] == name)


def test_the_change_comes_with_its_interval_and_quantiles(stored, document):
    found = document("compare", "2026-11-25..2026-11-28", "last", "--suite", "websocket")
    change = metric(found)
    assert change["effect"] == pytest.approx(0.29, abs=0.03)
    assert change["low"] < change["effect"] < change["high"]
    assert (change["standing"], change["nights"]) == ("worse", {"a": 4, "b": 1})
    (quantity,) = found["quantiles"]
    shifts = {each["quantile"]: each for each in quantity["shifts"]}
    assert shifts[0.5]["shift"] == pytest.approx(0.29, abs=0.05)
    assert shifts[0.5]["low"] > 0.1
    assert quantity["distance"] == pytest.approx(0.3, abs=0.1)
    assert quantity["samples"] == {"a": 3200, "b": 800}


def test_it_is_printed_worse_first_in_80_columns(stored, ran):
    out = ran("compare", "last~1", "last", "--suite", "websocket")
    assert max(map(len, out.splitlines())) <= 80
    assert out.index(P95) < out.index("connection.time.p50")
    assert "worse" in out
    assert "P99.9" in out
    assert "a single night has no interval of its own: the spread of its blocks is taken" in " ".join(
        out.split()
    )
    assert "--metric '*' shows all" in out


def test_the_baseline_is_what_the_night_is_judged_against(stored, document):
    found = document("compare", "baseline", run(LAST), "--metric", P95)
    # the first night ran on another machine, and there is no database run on the other side
    assert found["a"]["nights"] == [night(number) for number in range(1, LAST)]
    assert any("cores 4 instead of 2" in warning for warning in found["warnings"])


def test_the_baseline_leaves_out_what_is_flagged_and_takes_what_is_pinned(own, document, ran):
    store = HistoryStore(own)
    save(store, websocket_measurement(number=LAST + 2))
    found = document("compare", "baseline", "last", "--metric", P95)
    assert metric(found)["nights"]["a"] == LAST - 1  # the first night ran on another machine
    assert any("1 night of full websocket left out: flagged" in each for each in found["warnings"])
    ran("history", "pin", "2026-11-25..2026-11-26", "--suite", "websocket", "--why", "release")
    found = document("compare", "baseline", "last", "--metric", P95)
    assert found["a"]["nights"] == [night(1), night(2)]


def test_the_baseline_of_several_nights_lies_before_the_first_of_them(stored, document):
    found = document("compare", "baseline", "last:2", "--suite", "websocket", "--metric", "connection.*")
    assert found["a"]["nights"] == [night(1), night(2), night(3)]
    assert found["b"]["nights"] == [night(4), night(5)]


def test_another_machine_is_told_by_its_parts(stored, document):
    (warning,) = document("compare", night(0), night(1), "--metric", "connection.time.p50")["warnings"]
    assert f"{night(1)} has another environment than {night(0)}: cores 2 instead of 4" in warning
    assert "(full database, full websocket)" in warning


def test_an_invalid_run_is_left_out_and_told(stored, document):
    found = document("compare", "2026-11-25..2026-11-27", "last", "--suite", "database", "--metric", "pool.*")
    assert night(2) not in found["a"]["nights"]
    (warning,) = found["warnings"]
    assert run(2, "database") in warning
    assert "the generator was late" in warning
    assert "left out" in warning


def test_an_invalid_run_alone_is_compared_all_the_same(stored, document):
    found = document("compare", run(2, "database"), run(3, "database"), "--metric", "pool.*")
    assert found["a"]["runs"] == [run(2, "database")]
    assert "compared all the same" in found["warnings"][0]


def test_a_run_on_both_sides_is_told(stored, document):
    found = document("compare", "last:2", "last", "--suite", "database", "--metric", "pool.*")
    assert "1 run is on both sides, which makes them alike" in found["warnings"]


@pytest.mark.parametrize(
    ("name", "runs"), [(run(LAST), "run"), ("last:3", "6 runs")], ids=["a run", "a set of nights"]
)
def test_against_itself_nothing_changed(name, runs, stored, document):
    found = document("compare", name, name, "--suite", "websocket", "--metric", P95)
    (warning,) = found["warnings"]
    assert warning.startswith(f"both sides are the same {runs}: every change is 0")
    change = metric(found)
    assert (change["effect"], change["standing"]) == (0, "same")
    assert change["low"] < 0 < change["high"]
    assert {each["shift"] for each in found["quantiles"][0]["shifts"]} <= {0, None}


def test_a_suite_of_one_side_is_told(stored, document):
    found = document("compare", "last~1", run(LAST), "--metric", "connection.*")
    assert "only last~1 has full database: not compared" in found["warnings"]
    assert {each["suite"] for each in found["metrics"]} == {"websocket"}


def test_a_run_of_another_environment_is_found_by_its_id(stored, document):
    found = document("compare", run(LAST + 1, block=7), run(1), "--metric", "connection.*")
    assert found["a"]["runs"] == [run(LAST + 1, block=7)]


def test_patterns_choose_metrics_and_the_quantiles_of_them(stored, document):
    found = document(
        "compare", "last~1", "last", "--metric", "message.response_time.p5?", "--metric", "query.*"
    )
    names = {each["metric"] for each in found["metrics"]}
    assert "message.response_time.p50" in names
    assert P95 not in names
    assert [each["quantity"] for each in found["quantiles"]] == [
        "query.response_time",
        "message.response_time",
    ]


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("compare nowhere last", ["A = 'nowhere'"]),
        ("compare last nowhere", ["B = 'nowhere'"]),
        ("compare baseline baseline", ["B = 'baseline'", "of nothing"]),
        ("compare baseline 2026-11-24", ["A = 'baseline'", "no earlier night", "one is enough", "needs 5"]),
        ("compare 2026-11-25..2026-11-24 last", ["A = ", "ends before it begins"]),
        ("compare 2026-13-45 last", ["A = '2026-13-45'", "is no date"]),
        (f"compare {run(1)} {run(1, 'database')}", ["nothing in common", "full database", "full websocket"]),
        ("compare last~1 last --metric message.respnse_time.p95", ["--metric = ", f"did you mean {P95}"]),
        ("compare last~1 last --metric query.response_time.p95 --metric nothing", ["'nothing'"]),
        ("compare last", ["B"]),
    ],
)
def test_bad_input_is_told_in_one_line(stored, refused, command, names):
    refused(command, {}, "", names)


def test_comparing_an_empty_history_is_an_error(refused):
    refused("compare last~1 last", {}, "", ["nothing is stored yet"])
