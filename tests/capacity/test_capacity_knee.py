from __future__ import annotations

from dataclasses import replace

import pytest
from capacity.searched import NOTHING, STEPS, capacity, found

from nightbench.capacity.chart_file import ChartFile
from nightbench.capacity.knee import data_of, knee_of
from nightbench.capacity.search import Step
from nightbench.report.charts.bundle import Bundle
from nightbench.report.charts.standalone import page_of


def marks_of(spec, kind):
    """All marks of a kind in the two panels."""
    layers = [layer for panel in spec["vconcat"] for layer in panel["layer"]]
    return [layer for layer in layers if layer["mark"]["type"] == kind]


def figure_of(what=None):
    figure = knee_of(what or found(), environment="staging")
    assert figure is not None
    return figure


def test_each_step_is_a_point_with_its_values_to_hover():
    points = marks_of(figure_of().spec, "point")
    assert len(points) == 2
    fields = {each["field"] for each in points[0]["encoding"]["tooltip"]}
    row = data_of(found())["steps"][2]
    assert fields <= row.keys()
    assert (row["what"], row["p95_said"], row["result"]) == ("320 users", "2,412 ms", "missed")
    assert "2,412 ms" in row["why"]


def test_results_differ_by_colour_and_by_shape():
    encoding = marks_of(figure_of().spec, "point")[0]["encoding"]
    for channel in ("shape", "stroke"):
        scale = encoding[channel]["scale"]
        assert scale["domain"] == ["kept", "missed", "invalid"]
        assert len(set(scale["range"])) == 3


def test_the_target_is_a_line_and_the_interval_a_band():
    data = data_of(found())
    assert data["times"] == [{"limit": 2000.0, "label": "target < 2,000 ms"}]
    assert data["rates"] == [{"limit": 95.0, "label": "target > 95.00 %"}]
    (band,) = data["answer"]
    assert band["begin"] <= 310
    assert band["end"] >= 320
    assert len(marks_of(figure_of().spec, "rect")) == 2


@pytest.mark.parametrize("answer", [capacity(310, None), capacity(None, 320)])
def test_where_one_end_is_known_it_is_a_line(answer):
    figure = figure_of(found(answer))
    assert marks_of(figure.spec, "rect") == []
    (row,) = data_of(found(answer))["answer"]
    assert row["begin"] == row["end"]


@pytest.mark.parametrize(
    ("loads", "kind"), [((50, 310), "log"), ((300, 310), "linear"), ((7,), "linear"), ((1, 50_000), "log")]
)
def test_loads_stand_on_the_axis_that_fits(loads, kind):
    steps = tuple(Step(load, "met", 20, p95_ms=20.0, success=100.0) for load in loads)
    scale = marks_of(figure_of(found(capacity(loads[-1], None), steps)).spec, "point")[0]["encoding"]["x"][
        "scale"
    ]
    assert scale["type"] == kind
    low, high = scale["domain"]
    assert low < min(loads) <= max(loads) < high
    assert low > 0 or kind == "linear"


def test_a_step_without_a_value_stands_on_the_axis():
    data = data_of(found())
    assert data["steps"][3]["p95"] == min(row["p95"] for row in data["steps"])
    assert data["steps"][3]["p95_said"] == "–"


def test_the_line_joins_medians_of_valid_steps():
    steps = (*STEPS, replace(STEPS[1], p95_ms=1800.0), replace(STEPS[1], p95_ms=5.0, result="invalid"))
    line = {row["load"]: row["p95"] for row in data_of(found(steps=steps))["line"]}
    assert line == {50: 102.3, 310: pytest.approx((1912.3 + 1800) / 2), 320: 2412.0}


def test_words_and_a_table_stand_for_it():
    figure = figure_of()
    assert "4 steps from 50 to 320 users" in figure.alt
    assert "310 users kept the targets, 320 did not" in figure.alt
    assert len(figure.table.rows) == len(STEPS)
    assert {len(row) for row in figure.table.rows} == {len(figure.table.head)}


def test_there_is_none_where_nothing_was_tried():
    assert knee_of(NOTHING, environment="local") is None


def test_a_page_by_itself_fetches_nothing_and_has_no_markup_of_others():
    text = page_of(figure_of(), "/* what draws */")
    assert "default-src &#x27;none&#x27;" in text
    assert "<script>alert" not in text
    assert text.count("</script>") == 2
    assert "src=" not in text
    assert 'lang="en"' in text
    assert text.count('<th scope="row">') == len(STEPS)


@pytest.mark.parametrize(
    ("name", "begins"), [("knee.svg", b"<svg"), ("knee.PNG", b"\x89PNG"), ("knee.html", b"<!DOCTYPE html>")]
)
def test_the_ending_of_a_file_says_what_it_is(tmp_path, monkeypatch, name, begins):
    monkeypatch.setattr(Bundle, "__init__", lambda *_: None)
    monkeypatch.setattr(Bundle, "text", lambda _: "/* what draws */")
    monkeypatch.setattr(Bundle, "close", lambda _: None)
    ChartFile(str(tmp_path / name), tmp_path / "cache").write(figure_of())
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert [each.name for each in tmp_path.iterdir()] == [name]
