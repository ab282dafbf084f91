"""Several charts for one page: drawn in one child, small, and in as many bytes as there are."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from test_report_charts import WHOLE, history

from nightbench.report.charts.drawing import svgs
from nightbench.report.charts.pictures import pictures
from nightbench.report.charts.small import small
from nightbench.report.charts.spec import spec_of


@pytest.fixture(scope="module")
def drawn():
    """A chart, what is none, and another chart, drawn together."""
    return svgs([spec_of(WHOLE), {"mark": "no mark"}, spec_of(history(1.0, 2.0, 3.0))])


def words(svg: str) -> list[str]:
    return ["".join(each.itertext()) for each in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_what_is_no_chart_does_not_take_the_others_with_it(drawn):
    first, none, second = drawn
    assert none is None
    assert "target < 40.00 ms" in words(first)
    assert "tonight" in words(second)


def test_a_small_picture_says_the_same_in_fewer_characters(drawn):
    whole = drawn[0]
    less = small(whole)
    assert words(less) == words(whole)
    assert len(less) < 0.85 * len(whole)
    assert less.count("<path") >= 31  # a point a night


def test_what_has_no_room_is_left_out(monkeypatch):
    monkeypatch.setattr(
        "nightbench.report.charts.pictures.svgs",
        lambda specs, patience: [f"<svg>{'x' * 90}</svg>", "<svg>" + "x" * 900 + "</svg>", "<svg/>"],
    )
    monkeypatch.setattr("nightbench.report.charts.pictures.small", str)
    big, bigger, least = pictures([WHOLE] * 3, most_bytes=300, patience=1.0)
    assert (big is None, bigger is None, least is None) == (False, True, False)


def test_nothing_is_drawn_of_nothing():
    assert svgs([]) == ()
