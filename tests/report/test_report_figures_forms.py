"""Figures whose form Altair makes once: what is filled in is Vega-Lite, and no text of others is a hole."""

from __future__ import annotations

import altair as alt
import pytest
from stored import database_run, websocket_run

from nightbench.report.charts import holes
from nightbench.report.charts.holes import filled, hole
from nightbench.report.figures import generator, over_time
from nightbench.report.figures.of_a_run import figures_of_run

RUNS = {"websocket": websocket_run(), "database": database_run()}
FIGURES = [(suite, each) for suite, run in RUNS.items() for each in figures_of_run(run, [run])]


@pytest.mark.parametrize(
    "figure", [each for _, each in FIGURES], ids=[f"{suite}-{each.key}" for suite, each in FIGURES]
)
def test_a_figure_is_what_the_schema_of_vega_lite_allows(figure):
    alt.LayerChart.from_dict(dict(figure.spec), validate=True)


@pytest.mark.parametrize("room", [over_time, generator])
def test_the_figures_of_two_runs_of_one_form_ask_altair_once(monkeypatch, room):
    asked = []
    monkeypatch.setattr(room, "_chart", lambda form, made=room._chart: asked.append(form) or made(form))
    for tier in ("quick", "full"):
        figures_of_run(websocket_run(tier=tier), [])
    assert len(asked) == len(set(asked)) > 0


def _form(name: str) -> dict[str, object]:
    return {"name": name, "title": hole("title"), "domain": [hole("domain")], "clip": True}


def test_what_is_said_stands_in_the_place_of_its_hole():
    found = filled(_form, "first", {"title": "P95", "domain": [0, 1.5]})
    assert found == {"name": "first", "title": "P95", "domain": [0, 1.5], "clip": True}


def test_a_text_that_looks_like_a_hole_is_a_text():
    found = filled(_form, "first", {"title": hole("domain"), "domain": [hole("title")]})
    assert (found["title"], found["domain"]) == (hole("domain"), [hole("title")])


def test_two_of_one_form_share_nothing_that_may_be_changed():
    first = filled(_form, "first", {"title": "P95", "domain": [0, 1]})
    first["domain"].append(2)
    first.clear()
    assert filled(_form, "first", {"title": "P99", "domain": [0, 1]})["domain"] == [0, 1]


def test_forms_that_are_kept_are_bounded():
    assert holes._blank.cache_info().maxsize < 1_000
