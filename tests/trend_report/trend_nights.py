"""Four weeks of nights in which much happened, and what a page of them did in a browser."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from axe_playwright_python.sync_playwright import Axe
from builders import database_measurement, invalidated, websocket_measurement
from playwright.sync_api import Page

from nightbench.history.marks import Mark, new_mark
from nightbench.measurement import Metric

NIGHTS = 28
CHANGED = 14
INVALID = 5
RELEASES = ("v1.0.0", "v2.0.0<script>alert(1)</script>")
"""The second of them begins with the change."""
HOSTILE_STATEMENT = 'query[<img src=x onerror="alert(2)">].execute_time.p95'
HOSTILE_ERROR = "</script><script>alert(3)</script>"
HOSTILE_REASON = '"><svg onload=alert(4)> the generator was late'
SECRET = "postgresql://app:hunter2secret@db.example.org/app"
P95 = "full-websocket-message-response-time-p95"


def night(number: int) -> list:
    """Both suites of the tier `full`: messages became half as slow again; the database is as ever, with odd names."""
    wobble = 1 + 0.01 * (number % 3 - 1)
    release = RELEASES[number >= CHANGED]
    websocket = websocket_measurement(
        number=number - NIGHTS, median_ms=(30 if number >= CHANGED else 20) * wobble, release=release
    )
    database = database_measurement(number=number - NIGHTS, median_ms=4 * wobble, release=release)
    query = database.operations["query"]
    database = replace(
        database,
        metrics=(*database.metrics, Metric(HOSTILE_STATEMENT, 3 * wobble, "ms", 100)),
        operations={
            "query": replace(
                query, ok=query.ok - 1, failed=query.failed + 1, errors=Counter({HOSTILE_ERROR: 2})
            )
        },
        details={
            "findings": [
                {
                    "kind": "slow",
                    "subject": "<b>expenses</b>",
                    "text": f"sees {SECRET}",
                    "suggestion": "create index <i>",
                }
            ]
        },
    )
    if number == INVALID:
        websocket = invalidated(websocket, HOSTILE_REASON)
    return [websocket, database]


def muted() -> Mark:
    """What somebody said of a night: a row without a change."""
    run = websocket_measurement(number=-3)
    return new_mark(
        "mute",
        environment="local",
        suite="websocket",
        tier="full",
        run_id=run.run_id,
        night_id=run.night_id,
        who="ann",
        why="<i>known</i>",
        metrics=["connection.time.p50"],
        until=datetime(2027, 1, 1, tzinfo=UTC),
    )


class Seen:
    """The page, and what it did that it must not do."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss())
        )
        page.on(
            "request", lambda request: self.requests.append(request.url) if request.url != address else None
        )
        page.goto(address)
        page.wait_for_selector("html[data-drawn]")

    def accessibility(self) -> list[str]:
        """What axe-core calls serious or worse, each with the first place that has it."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {each['nodes'][0]['html']}"
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
