"""The trend of a metric as a figure: its sentence, its table, what is hovered, and that Altair is asked once."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from test_report_charts import WHOLE, history

from nightbench.report.charts import form, holes
from nightbench.report.charts.drawing import svgs
from nightbench.report.charts.metric_nights import LevelChange, band
from nightbench.report.charts.numbers import change_expression, number_expression
from nightbench.report.charts.spec import data_of, form_of, said_of, spec_of
from nightbench.report.figures.trend import key_of, trend_figure
from nightbench.report.layout import change, number

LASTED = history(
    *[20.1] * 40,
    *[31.0] * 49,
    tonight=30.8,
    baseline=band("night60", 29.3, 0.031, 0.0512),
    target=(("<", 2000.0),),
    changes=(LevelChange("night48", 0.5),),
)


def test_a_sentence_says_what_an_eye_sees():
    assert trend_figure(LASTED).alt == (
        "message.response_time.p95 over 90 nights: between 20.10 ms and 31.00 ms, tonight 30.80 ms, "
        "5.1 % above the baseline of 29.30 ms; changed +50.0 % on 12 Nov 2026; target < 2,000 ms met."
    )


@pytest.mark.parametrize(
    ("nights", "said"),
    [
        (
            history(20.0, tonight=None),
            "over 2 nights: between 20.00 ms and 20.00 ms, tonight no value, no baseline.",
        ),
        (history(tonight=None), "over 1 night: no value, tonight no value, no baseline."),
        (
            history(20.0, tonight=15.0, baseline=band("night0", 20.0, None, -0.25)),
            "tonight 15.00 ms, 25.0 % below the baseline of 20.00 ms.",
        ),
        (history(20.0, tonight=None, target=(("<", 30.0),)), "target < 30.00 ms missed."),
        (
            history(20.0, tonight=31.0, target=((">=", 10.0), ("<", 30.0))),
            "target >= 10.00 ms and < 30.00 ms missed.",
        ),
    ],
    ids=["no value", "nothing", "below", "no value misses", "range"],
)
def test_what_is_missing_is_said_to_be(nights, said):
    assert trend_figure(nights).alt.endswith(said)


def test_its_table_has_a_row_a_night_and_the_release_where_one_is_known():
    nights = (*LASTED.nights[:-1], replace(LASTED.nights[-1], release="v2.4.1"))
    table = trend_figure(replace(LASTED, nights=nights)).table
    assert table.head == ("night (UTC)", "value", "state", "release")
    assert table.rows[0] == ("2026-09-25 03:15", "20.10 ms", "night", "")
    assert table.rows[-1] == ("2026-12-23 03:15", "30.80 ms", "tonight", "v2.4.1")
    assert len(table.rows) == 90
    assert trend_figure(LASTED).table.head == ("night (UTC)", "value", "state")


@pytest.mark.parametrize(
    ("metric", "key"),
    [
        ("message.response_time.p95", "message-response-time-p95"),
        ("query[expense_listing].execute_time.p95", "query-expense-listing-execute-time-p95"),
    ],
)
def test_a_metric_has_a_name_to_link_to(metric, key):
    assert key_of(metric) == key


def test_metrics_that_differ_in_what_no_anchor_has_do_not_share_one():
    names = [
        "query[a_b].p95",
        "query[a-b].p95",
        "query[a b].p95",
        "query[A_b].p95",
        "query[ä].p95",
        "[].",
        "ä",
        "",
    ]
    keys = [key_of(name) for name in names]
    assert len(set(keys)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", key) for key in keys)


VARIANTS = (
    WHOLE,
    LASTED,
    history(None, tonight=None),
    history(1.0, unit=""),
    replace(WHOLE, unit="x" * 200, environment="⟪title⟫", metric="⟪unit⟫"),
    replace(WHOLE, nights=tuple(replace(each, release="v1") for each in WHOLE.nights)),
    replace(WHOLE, nights=(replace(WHOLE.nights[0], state="invalid"), *WHOLE.nights[1:])),
)


@pytest.mark.parametrize("nights", VARIANTS, ids=range(len(VARIANTS)))
def test_a_form_that_is_filled_in_is_the_chart_that_altair_makes(nights):
    data = data_of(nights)
    made = form.chart(form_of(nights, data), said_of(nights))
    assert spec_of(nights, most=len(nights.nights)) == {**made, "datasets": data}


def test_a_hundred_charts_of_one_form_ask_altair_once(monkeypatch):
    holes._blank.cache_clear()
    asked = []
    monkeypatch.setattr(form, "chart", lambda *args, made=form.chart: asked.append(1) or made(*args))
    for place in range(100):
        spec_of(replace(LASTED, metric=f"metric{place}", unit=f"u{place}"))
    assert len(asked) == 1
    holes._blank.cache_clear()


def test_two_charts_of_one_form_share_nothing_that_may_be_changed():
    first = spec_of(WHOLE)
    first["layer"].clear()
    first["config"].clear()
    assert spec_of(WHOLE)["layer"]
    assert spec_of(WHOLE)["config"]


def test_a_night_is_hovered_by_its_time_value_state_baseline_and_release():
    released = replace(WHOLE, nights=tuple(replace(each, release="v1") for each in WHOLE.nights))
    points = next(layer for layer in spec_of(released)["layer"] if layer["mark"]["type"] == "point")
    assert [each["title"] for each in points["encoding"]["tooltip"]] == [
        "night (UTC)",
        "value",
        "against the baseline",
        "state",
        "release",
    ]
    bare = next(layer for layer in spec_of(history(1.0))["layer"] if layer["mark"]["type"] == "point")
    assert [each["title"] for each in bare["encoding"]["tooltip"]] == ["night (UTC)", "value", "state"]


def test_a_year_of_nights_is_small_and_has_five_digits():
    year = history(*(20.123456789 + 0.001234567 * number for number in range(364)), tonight=1 / 3)
    spec = trend_figure(year).spec
    assert len(json.dumps(spec, separators=(",", ":"))) < 36_000
    assert spec["datasets"]["nights"][0]["value"] == 20.123
    assert spec["datasets"]["nights"][-1]["value"] == 0.33333


NUMBERS = [
    *((value, "ms") for value in (0.0, 0.0421, 0.999, 1.0, 41.2, 99.996, 100.0, 999.9, 1000.0, 1234567.0)),
    *((value, "%") for value in (50.0, 99.5, 99.999, 100.0)),
    *((value, "1") for value in (0.0, 3.0, 2.5, 12345.0)),
    *((value, 'ms"+datum.x+"\\') for value in (1.5,)),
]


@pytest.fixture(scope="module")
def hovered() -> list[str]:
    """What Vega makes of the expressions of numbers and of changes."""
    expressions = [number_expression(repr(value), unit) for value, unit in NUMBERS]
    expressions += [change_expression(repr(value), 20.0) for value in (19.0, 20.0, 21.5, 60.0)]
    specs = [
        {
            "data": {"values": [{}]},
            "transform": [{"calculate": each, "as": "said"}],
            "mark": "text",
            "encoding": {"text": {"field": "said", "type": "nominal"}},
        }
        for each in expressions
    ]
    words = [
        [
            "".join(each.itertext())
            for each in ET.fromstring(svg or "").iter("{http://www.w3.org/2000/svg}text")
        ]
        for svg in svgs(specs)
    ]
    return [each[-1] for each in words]


def test_what_is_hovered_is_said_as_everywhere_else(hovered):
    expected = [number(value, unit) for value, unit in NUMBERS]
    expected += [change(value / 20.0 - 1) for value in (19.0, 20.0, 21.5, 60.0)]
    assert hovered == expected
