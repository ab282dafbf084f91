"""What the summary of a night says about its alerts."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from posted import put
from rich.console import Console

from nightbench.alerts.delivery import DeliveryReport
from nightbench.alerts.outbox import Outbox
from nightbench.outcome import NightOutcome, night_document, print_outcome
from nightbench.report.summary import print_night
from nightbench.settings import Settings


def printed(report: DeliveryReport) -> str:
    text = io.StringIO()
    print_night(Console(file=text, width=80), (), saved={"outbox": "results/outbox"}, alerts=report)
    return " ".join(text.getvalue().partition("Alerts")[2].split())


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (DeliveryReport(), ["none Where"]),
        (DeliveryReport(delivered=1_000), ["1,000 delivered Where"]),
        (
            DeliveryReport(undelivered=2, reasons=("sentry.example.org cannot be reached",)),
            [
                "2 undelivered - sentry.example.org cannot be reached",
                "`nightbench alerts flush`",
                "results/outbox",
            ],
        ),
        (DeliveryReport(rejected=1), ["1 rejected", "`nightbench alerts flush --rejected`"]),
        (DeliveryReport(delivered=1, dropped=3), ["1 delivered, 3 dropped"]),
        (DeliveryReport(recovered=("back: full database: resolved",)), ["back: full database: resolved"]),
    ],
)
def test_what_became_of_the_alerts_and_what_to_do(report: DeliveryReport, words: list[str]) -> None:
    text = printed(report)
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(("waiting", "word"), [(0, "none"), (2, "2 undelivered")])
def test_a_night_that_ended_before_it_posted_says_how_many_wait(
    tmp_path: Path, waiting: int, word: str
) -> None:
    put(Outbox(tmp_path), waiting)
    text = io.StringIO()
    console = Console(file=text, width=80)
    print_outcome(console, NightOutcome("night"), Settings(results=tmp_path / "results", outbox=tmp_path))
    told = " ".join(text.getvalue().partition("Alerts")[2].split())
    assert told.startswith(f"{word} - the night ended before they were posted ")
    assert text.getvalue().endswith("\n\n? Invalid or incomplete\n")  # not some pages above alone


def test_the_document_of_a_night_counts_and_names_them() -> None:
    document = night_document(NightOutcome("night", delivery=DeliveryReport(delivered=1, dropped=2)))
    amounts = {"delivered": 1, "undelivered": 0, "rejected": 0, "dropped": 2}
    assert document["alerts"].items() >= amounts.items()
    assert set(document["alerts"]) - set(amounts) == {"reasons", "recovered", "events", "told"}
