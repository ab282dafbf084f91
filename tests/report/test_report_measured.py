"""What the summary says of rates, kinds of messages and classes: each with its name beside it."""

from __future__ import annotations

import io
import re
import string
from collections import Counter

import pytest
from builders import verdict_of, websocket_measurement
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from nightbench.load.ledger import OperationCounts
from nightbench.measurement import Measurement, Metric
from nightbench.plan import RatePoint
from nightbench.report.summary import print_suite

WORDS = st.text(string.ascii_lowercase + "_", min_size=1, max_size=30)
CLASSES = st.dictionaries(WORDS, st.integers(1, 10**9), min_size=1, max_size=5)


def lines(measurement: Measurement) -> list[str]:
    text = io.StringIO()
    print_suite(Console(file=text, width=80, force_terminal=False), verdict_of(measurement))
    return text.getvalue().splitlines()


def below(title: str, text: list[str]) -> list[list[str]]:
    """The words of the lines from the one that begins with `title` to the next empty one."""
    start = next(number for number, line in enumerate(text) if line.startswith(title))
    return [line.split() for line in text[start + 1 : text.index("", start)]]


def with_kinds() -> Measurement:
    whole = websocket_measurement()
    return websocket_measurement(
        metrics=(
            *whole.metrics,
            Metric("message.stray", 390.0, "1", 400),
            Metric("message[ask].success_rate", 100.0, "%", 353),
            Metric("message[ask].throughput", 88.25, "1/s", 353),
            Metric("message[rate].success_rate", 0.0, "%", 47),
            Metric("message[rate].throughput", 0.0, "1/s", 47),
        ),
        details={"stray": {"late_reply": 90, "predicate_failed": 300}, "lost": {"close_1011": 3}},
    )


def with_profile(*corners: tuple[float, float], duration: float = 60.0) -> list[str]:
    profile = tuple(RatePoint(at=at, rate=rate) for at, rate in corners)
    whole = websocket_measurement()
    plan = whole.plan.model_copy(update={"rate": None, "rate_profile": profile, "duration": duration})
    return lines(websocket_measurement(plan=plan))


@pytest.mark.parametrize(
    ("corners", "told"),
    [
        ([(0, 20), (60, 200)], "20 to 200 messages/s"),
        ([(0, 20), (30, 200), (30, 10), (60, 50)], "10 to 200 messages/s"),
        ([(10, 0), (40, 7.5)], "0 to 7.5 messages/s"),
        ([(0, 30)], "30 messages/s"),
        ([(0, 0), (120, 100)], "0 to 50 messages/s"),  # what comes behind the end never was
        ([(90, 40), (120, 100)], "40 messages/s"),
    ],
)
def test_a_rate_that_changes_is_told_by_its_bounds(corners, told):
    assert f"  Load        100 users, open model, rate profile, {told}" in with_profile(*corners)


def test_the_throughput_is_that_of_whole_operations():
    assert "  Throughput  50 connections/s, 49.75 messages/s" in lines(with_kinds())


def test_each_kind_has_its_figures_in_a_row_of_its_own():
    text = lines(with_kinds())
    (title,) = (line for line in text if line.startswith("Rates by kind"))
    assert title.split()[3:] == ["success", "rate", "throughput"]
    assert below("Rates by kind", text) == [
        ["ask", "100.0", "%", "88.25", "1/s"],
        ["rate", "0.00", "%", "0.00", "1/s"],
    ]
    assert ["success", "rate", "99.500", "%", "stray", "390"] in [line.split() for line in text]


def test_stray_messages_and_lost_connections_are_told_by_class_the_most_frequent_first():
    text = lines(with_kinds())
    assert below("Stray messages by class", text) == [["300", "predicate_failed"], ["90", "late_reply"]]
    assert below("Lost connections by class", text) == [["3", "close_1011"]]


def test_without_any_there_is_no_block_of_them():
    text = lines(websocket_measurement(details={"stray": {}, "lost": {}}))
    assert not [line for line in text if "by class" in line and not line.startswith("Errors")]


@given(errors=st.dictionaries(WORDS, CLASSES, min_size=1, max_size=5))
def test_count_operation_and_class_of_an_error_never_run_into_each_other(errors):
    operations = {
        name: OperationCounts(
            scheduled=sum(classes.values()), failed=sum(classes.values()), errors=Counter(classes)
        )
        for name, classes in errors.items()
    }
    told = below("Errors by class", lines(websocket_measurement(operations=operations)))
    assert sorted(told) == sorted(
        [f"{amount:,}", name, each] for name, classes in errors.items() for each, amount in classes.items()
    )


def test_the_longest_operation_stands_apart_from_its_class():
    operations = {"reconnection": OperationCounts(scheduled=13, failed=13, errors=Counter(handshake_401=13))}
    text = lines(websocket_measurement(operations=operations))
    assert [line for line in text if re.fullmatch(r" +13  reconnection  handshake_401", line)]
