"""The report as a file: what it says, that it is whole, and that nothing of others is markup in it."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser

import pytest
from builders import invalidated, verdict_of, websocket_measurement
from trend_nights import HOSTILE_ERROR, HOSTILE_REASON, HOSTILE_STATEMENT, NIGHTS, P95, RELEASES

from nightbench.history.store import HistoryStore
from nightbench.settings import load
from nightbench.trend_report import tables
from nightbench.trend_report.suite_report import suite_report

MOST_BYTES = 2_000_000


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._raw = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._raw = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag):
        self._raw = ""

    def handle_data(self, data):
        if not self._raw:
            self.words.append(data)


@pytest.fixture(scope="module")
def page(report):
    return Elements(report.html)


@pytest.fixture(scope="module")
def text(page):
    return " ".join(" ".join(page.words).split())


@pytest.fixture(scope="module")
def charts(report):
    (packed,) = re.findall(r'id="charts">([^<]+)<', report.html)
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def test_it_is_one_file_of_bounded_size_that_names_no_other(report, page):
    assert len(report.html.encode()) <= MOST_BYTES
    outside = [
        (tag, name, value)
        for tag, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "srcset", "data", "action", "poster")
        or (name == "href" and not str(value).startswith("#"))
    ]
    assert outside == []


def test_a_browser_may_run_its_own_two_scripts_and_ask_nobody(page):
    (policy,) = (attributes["content"] for _, attributes in page.elements if "http-equiv" in attributes)
    assert "default-src 'none'" in policy
    assert policy.count("sha256-") == 2
    assert "script-src 'unsafe-eval' 'sha256-" in policy


def test_every_link_leads_to_a_place_of_the_page(page):
    places = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    links = {attributes["href"].removeprefix("#") for tag, attributes in page.elements if tag == "a"}
    assert len(links) > 20
    assert links - places == set()


def test_no_two_places_have_one_name(page):
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(names) == len(set(names))


def test_it_answers_from_top_to_bottom(text):
    questions = ("Is it well?", "What changed, when", "Why?", "How sure?")
    places = [text.rindex(question) for question in questions]
    assert places == sorted(places)


def test_it_says_what_changed_when_by_how_much_and_with_which_release(report):
    (row,) = (
        [cell.text for cell in row]
        for row in report.view.changes.rows
        if (row[3].text, row[1].text) == ("message.response_time.p95", "lasting change")
    )
    assert row[0] == "2026-11-10 03:15"
    assert row[2].startswith(("+4", "+5"))
    assert row[5] == f"the first of release {RELEASES[1]}"


def test_every_promise_and_every_metric_that_gates_has_a_row(report):
    assert {row[2].text for row in report.view.targets.rows} == {"met"}
    metrics = {row[0].text for row in report.view.metrics.rows}
    assert {"message.response_time.p95", "query.response_time.p95", HOSTILE_STATEMENT} <= metrics


def test_a_last_night_that_is_invalid_met_none_of_its_targets(tmp_path):
    run = invalidated(websocket_measurement(tier="full"), "the generator was late")
    HistoryStore(tmp_path).save(run, verdict_of(run).targets)
    found = suite_report(load({"results": tmp_path}), "full", "websocket", nights=2)
    assert found is not None
    (row,) = tables.tonight([found]).rows
    assert (row[1].badge, row[6].text) == ("invalid", "–")


def test_an_invalid_night_is_there_with_its_reason(report):
    (row,) = report.view.invalid.rows
    assert (row[0].text, row[1].text, row[2].badge) == ("2026-11-01 03:15", "full websocket", "invalid")
    assert "the generator was late" in row[3].text


def test_the_last_night_is_explained(report):
    websocket, database = report.view.suites
    assert websocket.why[0].anchor == "full-websocket-over-time"
    assert {"run", "load", "measured", "release"} <= {name for name, _ in websocket.facts}
    assert database.findings[0].subject == "<b>expenses</b>"


def test_each_chart_has_words_and_the_same_as_a_table(report, charts):
    drawings = [each for suite in report.view.suites for each in (*suite.trends, *suite.why)]
    assert charts["names"] == [each.anchor for each in drawings]
    assert all(each.alt for each in drawings)
    tables = dict(zip(charts["names"], charts["tables"], strict=True))
    assert all(table["head"] and table["columns"] for table in tables.values())
    assert [len(column) for column in tables[P95]["columns"]] == [NIGHTS] * len(tables[P95]["head"])


@pytest.mark.parametrize("hostile", [RELEASES[1], HOSTILE_STATEMENT, HOSTILE_REASON])
def test_what_others_wrote_is_shown_as_it_is_and_is_no_markup(report, text, hostile):
    assert " ".join(hostile.split()) in text
    assert hostile not in report.html


def test_no_element_comes_from_others(page):
    assert {tag for tag, _ in page.elements} & {"img", "svg", "b", "i", "iframe", "object"} == set()
    assert [tag for tag, _ in page.elements].count("script") == 4
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_an_error_class_cannot_end_the_script_that_holds_it(report, charts):
    assert HOSTILE_ERROR not in report.html
    assert HOSTILE_ERROR in json.dumps(charts)


def test_a_secret_of_a_server_string_is_nowhere(report, charts):
    assert "hunter2secret" not in report.html + json.dumps(charts)
