"""Releases of the subject in reports: which are drawn, and with which of them a change is told to have come."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import verdict_of, websocket_measurement
from every_trend import every_trend
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from nightbench.history.store import HistoryStore
from nightbench.night_page import night_page
from nightbench.outcome import NightOutcome, night_document
from nightbench.report.charts.metric_nights import LevelChange, MetricNight, MetricNights, releases_of
from nightbench.report.charts.release_marks import release_label, release_marks
from nightbench.report.charts.spec import data_of
from nightbench.report.charts.theme import WIDTH
from nightbench.report.listing import print_runs, run_rows
from nightbench.report.release_words import with_release
from nightbench.report.stored_run import print_stored_run
from nightbench.report.summary import print_suite
from nightbench.settings import Settings
from nightbench.trend_report.markdown_pages import SuitePart, trend_pages

BEGIN = datetime(2026, 9, 25, 3, 15, tzinfo=UTC)
HOSTILE = "v1](http://evil.example)<b>"


def history(
    *releases: str | None, changes: tuple[int, ...] = (), epochs: tuple[int, ...] = ()
) -> MetricNights:
    """A night for each release."""
    nights = tuple(
        MetricNight(f"night{number}", BEGIN + timedelta(days=number), 40.0, "night", release)
        for number, release in enumerate(releases)
    )
    return MetricNights(
        suite="websocket",
        tier="full",
        environment="production",
        metric="message.response_time.p95",
        unit="ms",
        nights=nights,
        epochs=tuple(f"night{number}" for number in epochs),
        changes=tuple(LevelChange(f"night{number}", 0.5) for number in changes),
        releases=releases_of(nights),
    )


@pytest.mark.parametrize(
    ("releases", "began"),
    [
        ([], {}),
        ([None, None], {}),
        (["v1", "v1"], {}),
        ([None, "v1"], {}),
        (["v1", "v2", "v2"], {1: "v2"}),
        (["v1", None, "v1"], {}),
        (["v1", None, None, "v2"], {3: "v2"}),
        (["v1", "v2", "v1"], {1: "v2", 2: "v1"}),
    ],
)
def test_a_release_begins_where_it_is_another_than_the_last_known_one(releases, began):
    assert {int(each.night[5:]): each.release for each in history(*releases).releases} == began


@pytest.mark.parametrize(
    ("releases", "said"),
    [
        (["v1", "v1", "v1", "v2"], ", the first of release v2"),
        (["v1", "v1", "v2", "v2"], "; release v2 began the night before"),
        (["v1", "v2", "v2", "v2"], "; release v2 began two nights before"),
        (["v1", "v2", "v3", "v3"], "; release v3 began the night before"),
        (["v1", "v2", "v2", None], "; release v2 began two nights before"),
        (["v1", "v1", "v1", "v1"], ""),
        (["v1", "v1", "v1", "v1", "v2"], ""),
        ([None, None, None, "v2"], ""),
    ],
)
def test_a_change_is_told_with_the_release_that_it_came_with(releases, said):
    assert with_release(history(*releases), "night3") == said


def test_a_release_of_three_nights_before_is_not_told_with_a_change():
    assert with_release(history("v1", "v2", "v2", "v2", "v2"), "night4") == ""


def test_of_a_night_that_nobody_knows_nothing_is_told():
    assert with_release(history("v1", "v2"), "elsewhere") == ""


def test_a_release_is_a_mark_and_shares_the_line_of_what_begins_with_it():
    marks = data_of(history(*["v1"] * 5, *["v2.4.1"] * 10, *["2.5"] * 9, changes=(5,)))["marks"]
    assert marks == [
        {"place": 4.5, "label": "changed +50.0 %, v2.4.1"},
        {"place": 14.5, "label": "release 2.5"},
    ]


def test_a_night_that_has_a_release_has_it_for_who_points_at_it():
    nights = data_of(history("v1", None, "v2"))["nights"]
    assert [each.get("release") for each in nights] == ["v1", None, "v2"]


def test_a_release_of_four_numbers_is_no_address_and_one_with_a_secret_keeps_none():
    nights = data_of(history("1.24.3.4", "postgresql://app:hunter2@db/app"))["nights"]
    assert [each["release"] for each in nights] == ["1.24.3.4", "postgresql://app:***@db/app"]


def test_with_a_deploy_a_day_a_year_has_a_dozen_marks():
    deployed = history(*(f"v{number}" for number in range(365)), changes=(100,))
    drawn = dict(release_marks(deployed))
    assert len(drawn) == 12
    assert drawn[100] == "v100"
    assert 364 in drawn
    assert len(deployed.releases) == 364


def test_near_a_change_the_nearest_release_is_drawn_before_newer_ones():
    deployed = history(*(f"v{number}" for number in range(30)), changes=(10,))
    assert dict(release_marks(deployed, most=2)) == {10: "v10", 11: "v11"}


def test_without_a_change_the_newest_are_drawn():
    deployed = history(*(f"v{number}" for number in range(30)))
    assert release_marks(deployed, most=2) == [(28, "v28"), (29, "v29")]


@given(
    st.lists(st.sampled_from([None, "v1", "v2", "v3"]), min_size=1, max_size=365),
    st.sets(st.integers(0, 364), max_size=3),
    st.sets(st.integers(0, 364), max_size=3),
)
def test_marks_have_room_and_are_releases_that_began(releases, changes, epochs):
    shown = history(*releases, changes=tuple(changes), epochs=tuple(epochs))
    drawn = release_marks(shown)
    began = {(shown.place(each.night), each.release) for each in shown.releases}
    places = [place for place, _ in drawn]
    assert set(drawn) <= began
    assert len(drawn) <= 12
    assert places == sorted(places)
    beside = [each for each in {*changes, *epochs} if each < len(releases)]
    alone = [place for place in places if place not in beside]
    room = WIDTH / len(releases)
    assert all(abs(one - other) * room >= 14 for one in alone for other in {*places, *beside} - {one})


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=64))
def test_a_label_is_short_enough_for_the_plot(release):
    assert len(release_label(release)) <= 24


NIGHTS = 24


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two dozen nights; with the twelfth, the first of another release, messages became half as slow again."""
    store = HistoryStore(tmp_path_factory.mktemp("releases"))
    for number in range(NIGHTS):
        late = number >= NIGHTS // 2
        run = websocket_measurement(
            number=number,
            median_ms=(30 if late else 20) * (1 + 0.01 * (number % 3 - 1)),
            release=HOSTILE if late else "v0",
        )
        store.save(run, verdict_of(run).targets)
    return store


def test_the_trend_report_says_with_which_release_it_changed(store, monkeypatch):
    monkeypatch.setattr(
        "nightbench.report.charts.pictures.svgs", lambda specs, patience: ["<svg/>" for _ in specs]
    )
    parts = tuple(SuitePart(each) for each in every_trend(store))
    leading, _ = trend_pages(parts, "local", "results")
    (line,) = (each for each in leading.text.splitlines() if "`message.response_time.p95` changed" in each)
    assert "with the night of 2026-12-06, the first of release v1" in line
    assert r"v1\](http:" in line
    assert r"\<b\>" in line


def shown(write, *arguments) -> str:
    text = io.StringIO()
    write(Console(file=text, width=80, color_system=None), *arguments)
    return text.getvalue()


RUN = websocket_measurement(release="v2.4.1")


def test_the_summary_of_a_suite_names_it():
    assert "  release v2.4.1\n" in shown(print_suite, verdict_of(RUN))
    assert "release" not in shown(print_suite, verdict_of(replace(RUN, release=None)))


def test_the_list_of_runs_has_it_beside_the_night(store):
    rows = run_rows(store.runs(), {}, ())
    lines = shown(print_runs, rows).splitlines()
    assert "20261124T031500Z-nightly-000000  release v0" in lines
    assert max(map(len, lines)) <= 80


def test_a_long_one_is_below_its_night(store):
    rows = [{**row, "release": "a" * 64} for row in run_rows(store.runs(), {}, ())[:1]]
    assert f"20261124T031500Z-nightly-000000\n  release {'a' * 64}\n" in shown(print_runs, rows)


def test_a_stored_run_is_shown_with_it(store):
    run = store.run(store.run_ids()[0])
    assert "release v0" in shown(print_stored_run, run, store.lines("local"), ())


def test_the_document_of_a_night_and_of_its_suites_has_it():
    document = night_document(NightOutcome("night", verdicts=(verdict_of(RUN),), release="v2.4.1"))
    assert (document["release"], document["suites"][0]["release"]) == ("v2.4.1", "v2.4.1")


def test_the_page_of_a_night_names_it_and_takes_no_markup_from_it(tmp_path):
    outcome = NightOutcome("night", verdicts=(verdict_of(RUN),), release=HOSTILE)
    page = night_page(outcome, Settings(results=tmp_path))
    line = next(each for each in page.splitlines() if each.startswith("Night "))
    assert line.startswith(r"Night `night` of environment `local`, release v1\](http:")
    assert line.endswith(r"\<b\>")
