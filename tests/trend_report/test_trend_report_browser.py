"""The report in a real browser: it asks nobody for anything, and everybody can use it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator
from trend_nights import HOSTILE_STATEMENT, P95, Seen


def column(grid: Locator, number: int) -> list[str]:
    return [row.locator("th,td").nth(number).inner_text() for row in grid.locator("tbody tr:visible").all()]


def test_it_complains_of_nothing_and_asks_nobody(seen):
    assert seen.complaints == []
    assert seen.requests == []


def test_every_chart_is_drawn(seen):
    charts = seen.page.locator(".chart")
    assert charts.count() > 20
    assert seen.page.locator(".chart svg").count() == charts.count()


def test_a_serious_obstacle_is_in_none_of_its_parts(seen):
    assert seen.accessibility() == []


def test_a_table_sorts_by_number_both_ways_by_keyboard(seen):
    grid = seen.page.locator("#metrics")
    button = grid.get_by_role("button", name="Nights")
    button.focus()
    seen.page.keyboard.press("Enter")
    head = grid.locator("th[aria-sort]")
    assert (head.inner_text(), head.get_attribute("aria-sort")) == ("Nights", "ascending")
    ascending = [int(text) for text in column(grid, 8)]
    assert ascending == sorted(ascending)
    seen.page.keyboard.press("Enter")
    assert [int(text) for text in column(grid, 8)] == sorted(ascending, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"


def test_what_is_missing_is_last_whichever_way_a_table_is_sorted(seen):
    grid = seen.page.locator("#what-changed")
    button = grid.get_by_role("button", name="Change")
    for _ in range(2):
        button.click()
        missing = [text == "" for text in column(grid, 2)]
        assert 0 < sum(missing) < len(missing)
        assert missing == sorted(missing)


def test_a_table_is_filtered_by_words_and_says_how_many_are_left(seen):
    grid = seen.page.locator("#metrics")
    every = grid.locator("tbody tr").count()
    box = grid.get_by_label("Filter")
    box.fill("websocket P95")
    names = column(grid, 0)
    assert names
    assert all(name.endswith("p95") for name in names)
    assert grid.locator("output").inner_text() == f"{len(names)} of {every} rows"
    box.fill("")
    assert len(column(grid, 0)) == every


def test_a_metric_has_an_anchor_of_its_own(seen):
    seen.page.locator("#metrics").get_by_role("link", name="message.response_time.p95").click()
    assert seen.page.url.endswith(f"#{P95}")
    figure = seen.page.locator(f"#{P95}")
    assert "message.response_time.p95" in figure.locator("h4").inner_text()
    seen.page.wait_for_function(
        "id => document.getElementById(id).getBoundingClientRect().top < innerHeight", arg=P95
    )


def test_a_chart_tells_the_value_below_the_pointer(seen):
    figure = seen.page.locator(f"#{P95}")
    figure.scroll_into_view_if_needed()
    figure.locator("svg .mark-symbol.role-mark path").last.hover(force=True)
    tip = seen.page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    assert re.search(r"\d ms", tip.inner_text())
    seen.page.mouse.move(0, 0)


def test_the_same_is_beneath_each_chart_as_a_table(seen):
    figure = seen.page.locator(f"#{P95}")
    figure.locator("summary").click()
    rows = figure.locator("tbody tr")
    assert rows.count() == 28
    assert "ms" in rows.last.inner_text()
    figure.locator("summary").click()


def test_dark_is_chosen_by_a_button_and_is_readable_too(seen):
    button = seen.page.get_by_role("button", name="Dark")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    seen.page.wait_for_function("getComputedStyle(document.body).backgroundColor === 'rgb(22, 25, 29)'")
    dark = "id => document.querySelector(`#${id} svg`).style.backgroundColor === 'rgb(22, 25, 29)'"
    seen.page.wait_for_function(dark, arg=P95)
    assert seen.accessibility() == []
    button.click()
    assert button.get_attribute("aria-pressed") == "false"


@pytest.fixture
def narrow(context, file):
    fresh = context.browser.new_context(viewport={"width": 400, "height": 800}, color_scheme="dark")
    yield Seen(fresh.new_page(), file)
    fresh.close()


def test_at_400_px_nothing_but_tables_is_wider_than_the_window(narrow):
    assert narrow.page.evaluate("document.documentElement.scrollWidth") == 400
    assert narrow.page.locator(f"#{P95} svg").bounding_box()["width"] <= 400
    assert narrow.page.evaluate("document.documentElement.dataset.theme") == "dark", "as the system has it"
    assert narrow.complaints == []


def test_on_paper_it_is_light_has_all_charts_and_no_controls(seen):
    seen.page.emulate_media(media="print")
    assert not seen.page.locator("nav").is_visible()
    assert not seen.page.locator("#metrics .filter").is_visible()
    assert seen.page.locator(f"#{P95} svg").is_visible()
    assert seen.page.pdf().startswith(b"%PDF")
    seen.page.emulate_media(media="screen")


def test_what_others_wrote_is_text(seen):
    names = column(seen.page.locator("#metrics"), 0)
    assert HOSTILE_STATEMENT in names
    assert seen.page.locator("main img, main script, svg[onload], main b").count() == 0
    assert "<b>expenses</b>" in seen.page.locator(".findings").first.inner_text()
    assert "hunter2secret" not in seen.page.content()
