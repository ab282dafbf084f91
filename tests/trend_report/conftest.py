"""A report of four weeks, made once, in a real browser."""

from __future__ import annotations

import pytest
from builders import verdict_of
from chromium import chromium
from trend_nights import NIGHTS, Seen, muted, night

from nightbench.history.store import HistoryStore
from nightbench.settings import load
from nightbench.trend_report.making import trend_report


@pytest.fixture(scope="session")
def settings(tmp_path_factory):
    store = HistoryStore(tmp_path_factory.mktemp("nights"))
    for number in range(NIGHTS):
        for run in night(number):
            store.save(run, verdict_of(run).targets)
    store.save_mark(muted())
    return load({"results": store.root, "environment": "local"})


@pytest.fixture(scope="session")
def report(settings):
    made = trend_report(settings, nights=365)
    assert made is not None
    return made


@pytest.fixture(scope="session")
def file(report, tmp_path_factory):
    place = tmp_path_factory.mktemp("page") / "report.html"
    place.write_text(report.html, "utf-8")
    return place.as_uri()


# of a module, as the event loop of the browser's driver runs in the thread of the tests for as long as it is open
@pytest.fixture(scope="module")
def context():
    with chromium(
        patience_ms=20_000, viewport={"width": 1200, "height": 900}, color_scheme="light"
    ) as opened:
        yield opened


@pytest.fixture(scope="module")
def seen(context, file):
    """The page as it is opened; tests leave it as they found it."""
    return Seen(context.new_page(), file)
