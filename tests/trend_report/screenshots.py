"""``python tests/trend_report/screenshots.py FOLDER``: the pictures of the trend report in the documentation."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest does

from builders import START, database_measurement, verdict_of, websocket_measurement
from chromium import chromium
from playwright.sync_api import Page

from nightbench.history.store import HistoryStore
from nightbench.settings import load
from nightbench.trend_report.making import trend_report

NIGHTS, CHANGED = 60, 38
P95 = "#full-websocket-message-response-time-p95"


def nights(store: HistoryStore) -> None:
    """Two months in which messages became slower with a release, and a last night in which some failed."""
    first = (datetime.now(UTC) - START).days - NIGHTS + 1  # the last one is today's
    for number in range(NIGHTS):
        wobble = 1 + 0.012 * (number * 7 % 5 - 2)
        release = "v2.4.1" if number >= CHANGED else "v2.3.0" if number >= 12 else "v2.2.7"
        median = (27 if number >= CHANGED else 20) * wobble
        websocket = websocket_measurement(number=first + number, median_ms=median, release=release)
        database = database_measurement(number=first + number, median_ms=4 * wobble, release=release)
        if number == NIGHTS - 1:
            message = websocket.operations["message"]
            errors = Counter({"reply_timeout": 14, "close_1011": 9})
            counts = replace(message, ok=message.scheduled - 23, failed=9, timed_out=14, errors=errors)
            websocket = replace(websocket, operations={**websocket.operations, "message": counts})
        for run in (websocket, database):
            store.save(run, verdict_of(run).targets)


def main(folder: Path) -> None:
    """Take them."""
    with tempfile.TemporaryDirectory() as place:
        store = HistoryStore(Path(place) / "results")
        nights(store)
        report = trend_report(load({"results": store.root, "environment": "local"}), nights=365)
        assert report is not None
        file = Path(place) / "report.html"
        file.write_text(report.html, "utf-8")
        with chromium(viewport={"width": 1100, "height": 760}, color_scheme="light") as context:
            page = context.new_page()
            page.goto(file.as_uri())
            page.wait_for_selector("html[data-drawn]")
            _picture(page, folder / "report.png", "body")
            _picture(page, folder / "report-trend.png", P95)
            _picture(page, folder / "report-why.png", "#full-websocket-over-time")
            page.get_by_role("button", name="Dark").click()
            page.wait_for_timeout(1000)
            _picture(page, folder / "report-dark.png", P95)


def _picture(page: Page, file: Path, below: str) -> None:
    page.locator(below).evaluate("place => place.scrollIntoView({block: 'start', behavior: 'instant'})")
    page.screenshot(path=file, animations="disabled")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
