from __future__ import annotations

import pytest
from capacity.searched import CLOSE, NOTHING, found

from nightbench.capacity import picture
from nightbench.capacity.page import capacity_page
from nightbench.capacity.picture import knee_picture
from nightbench.report.charts import drawing
from nightbench.report.charts.drawing import UndrawnError


def test_the_page_has_each_step_and_what_spoke_against_it():
    text = capacity_page(found())
    assert "| 2 | 310 | ✓ kept | 1,912 ms | 100.0 % |  | 24 |" in text
    assert "| 3 | 320 | ✗ missed | 2,412 ms | 99.700 % | `message.response_time.p95` | 24 |" in text
    assert "| 4 | 320 | ? invalid | – | – |  | 25 |" in text
    assert "missed: 2,412 ms" in text
    assert CLOSE in text


def test_what_others_say_is_no_markup():
    text = capacity_page(found())
    assert "<script>" not in text
    assert r"\<script\>alert(1)\</script\> \| saturated" in text


def test_a_search_that_tried_nothing_has_a_page_and_no_picture():
    assert knee_picture(NOTHING, environment="local") == ""
    assert capacity_page(NOTHING).startswith("# websocket: nothing could be measured")


def test_the_picture_is_a_drawing_inside_of_the_page():
    drawn = knee_picture(found(), environment="local")
    assert drawn.startswith("![P95 response time and success of 4 steps from 50 to 320 users")
    assert drawn.endswith(")")
    assert "](data:image/svg+xml;base64," in drawn
    assert drawn in capacity_page(found(), drawn)


@pytest.mark.parametrize(
    "error", [UndrawnError("a chart was not drawn within 20 s"), ValueError("<b>odd</b>")]
)
def test_a_page_is_told_without_a_picture_that_cannot_be_drawn(monkeypatch, error):
    def fails(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(drawing, "svg", fails)
    assert picture.PATIENCE_SECONDS <= 20
    told = knee_picture(found(), environment="local")
    assert "drawn" in told
    assert "<b>" not in told
