"""The summary: complete in 80 columns, on any terminal and none."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from builders import database_measurement, invalidated, verdict_of, websocket_measurement, with_metric
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import NOTHING_EARLIER, QUIET, WORSE
from rich.cells import cell_len
from rich.console import Console

from nightbench.alerts.delivery import DeliveryReport
from nightbench.load.ledger import OperationCounts
from nightbench.measurement import Metric, Validity
from nightbench.report.layout import number
from nightbench.report.summary import load_in_words, print_night, print_suite
from nightbench.verdict.verdict import SuiteVerdict

GOLDEN = Path(__file__).parent / "golden"

FAILING = verdict_of(
    with_metric(
        with_metric(websocket_measurement(), "message.response_time.p95", None),
        "connection.success_rate",
        80.0,
    ),
    NOTHING_EARLIER,
)
BLOCKS = (
    websocket_measurement(block=1),
    websocket_measurement(block=2),
    invalidated(websocket_measurement(block=3), "the generator was busy"),
)
REGRESSED = replace(
    verdict_of(BLOCKS[1], WORSE), blocks=BLOCKS, reruns=(websocket_measurement(role="rerun"),) * 3
)
INCOMPLETE = verdict_of(
    invalidated(
        database_measurement(),
        "incomplete after 4.0 s of measuring: the database went away; start it again and repeat the run",
        complete=False,
    )
)


def console(
    *, encoding: str = "utf-8", terminal: bool = False, width: int = 80
) -> tuple[Console, io.BytesIO]:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    return Console(
        file=file, force_terminal=terminal, width=width, color_system="standard" if terminal else None
    ), raw


def printed(verdict: SuiteVerdict, **options) -> str:
    target, raw = console(**options)
    print_suite(target, verdict)
    return raw.getvalue().decode(options.get("encoding", "utf-8"))


def printed_night(*verdicts: SuiteVerdict, **options) -> str:
    target, raw = console(**options)
    print_night(
        target,
        verdicts,
        saved={"results": Path("results"), "outbox": Path("/var/lib") / ("very_long_name" * 8) / "outbox"},
        alerts=DeliveryReport(delivered=1, undelivered=2, rejected=0, reasons=("no Sentry DSN is set",)),
        notes=["the stress tier failed: its backend could not be started; what the others measured is here"],
    )
    return raw.getvalue().decode(options.get("encoding", "utf-8"))


def without_suites(text: str) -> str:
    """What stands before and after the suites of a night: the summary comes first."""
    return text[: text.index("── full")] + text[text.index("Alerts\n") :]


NIGHT = (
    verdict_of(websocket_measurement(), NOTHING_EARLIER),
    verdict_of(database_measurement(), QUIET),
    FAILING,
    INCOMPLETE,
    REGRESSED,
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("websocket", printed(NIGHT[0])),
        ("database", printed(NIGHT[1])),
        ("failing", printed(FAILING)),
        ("incomplete", printed(INCOMPLETE)),
        ("regression", printed(REGRESSED)),
        ("ascii", printed(FAILING, encoding="ascii")),
        ("night", without_suites(printed_night(*NIGHT))),
    ],
)
def test_golden(name: str, text: str) -> None:
    assert text == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp437"])
@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_longer_than_80_columns_nor_cut_off(encoding: str, width: int) -> None:
    text = printed_night(*NIGHT, encoding=encoding, width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "…" not in text


def test_piped_output_is_plain() -> None:
    assert "\x1b" not in printed_night(*NIGHT)


def test_a_terminal_gets_colours_and_the_same_text() -> None:
    coloured = printed_night(*NIGHT, terminal=True)
    assert "\x1b[32m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == printed_night(*NIGHT)


def test_ascii_marks_are_words() -> None:
    text = printed(FAILING, encoding="ascii")
    assert "ok     connection.connected_users" in text
    assert "MISSED connection.success_rate" in text


def test_every_value_is_in_it() -> None:
    measurement = database_measurement()
    text = printed(verdict_of(measurement))
    for metric in measurement.metrics:
        assert number(metric.value, "%" if metric.unit == "%" else "") in text, metric


def test_a_missing_value_says_how_few_samples_there_were() -> None:
    assert "missing (n = 400)" in printed(FAILING)


def test_a_value_that_is_missing_since_messages_were_skipped_says_so() -> None:
    measurement = websocket_measurement()
    message = OperationCounts(scheduled=400, ok=370, skipped=30, errors=Counter(in_flight_limit=30))
    skipping = replace(
        with_metric(measurement, "message.response_time.p95", None),
        operations={**measurement.operations, "message": message},
    )
    assert "missing (n = 400, 30 skipped)" in printed(verdict_of(skipping))
    blocks = (skipping, replace(skipping, block=2))
    assert "missing (n = 800, 60 skipped)" in printed(replace(verdict_of(skipping), blocks=blocks))


def test_a_metric_that_nobody_measured_is_said_so() -> None:
    verdict = verdict_of(websocket_measurement(metrics=()))
    assert "not measured" in printed(verdict)


def test_targets_of_an_invalid_measurement_have_no_mark() -> None:
    text = printed(INCOMPLETE)
    assert "not judged" in text
    assert "✓" not in text
    assert "✗" not in text


def test_a_leak_is_marked_even_in_an_invalid_measurement() -> None:
    text = printed(verdict_of(invalidated(database_measurement(leaked_rows=2), "the generator was busy")))
    assert "✗ query.leaked_rows" in text
    assert "rows leaked" in text
    assert "the generator was busy" in text


def test_a_percentage_is_not_rounded_up_to_a_hundred() -> None:
    assert number(99.9999, "%") == "99.999 %"
    assert number(100.0, "%") == "100.0 %"


def test_secrets_and_control_characters_are_not_printed() -> None:
    operations = {
        "message": OperationCounts(scheduled=1, failed=1, errors=Counter({"token=abcdef12345\x1b[31m": 1}))
    }
    verdict = verdict_of(
        websocket_measurement(
            operations=operations,
            subject={"dsn": "postgresql://app:hunter2@host/db"},
            validity=Validity(("Bearer abcdef12345 \x1b[2J was refused",)),
        )
    )
    text = printed(verdict)
    assert "abcdef12345" not in text
    assert "hunter2" not in text
    assert "\x1b" not in text


def test_markup_in_what_was_measured_is_text() -> None:
    text = printed(verdict_of(websocket_measurement(validity=Validity(("see [red]this[/red] :smile: [/]",)))))
    assert "see [red]this[/red] :smile: [/]" in text


def test_a_night_without_a_suite_says_so() -> None:
    lines = printed_night().splitlines()
    assert lines[: lines.index("  nothing was measured")] == ["Summary"]


names = st.from_regex(r"[a-z_]{1,30}(\[[a-z_]{1,60}\])?\.[a-z_.]{1,60}", fullmatch=True) | st.text(
    max_size=100
)
odd_metrics = st.lists(
    st.builds(
        Metric,
        name=names,
        value=st.none() | st.floats(),
        unit=st.sampled_from(["ms", "%", "1/s", "1", "MiB"]),
        n=st.integers(0, 10**12),
    ),
    max_size=8,
)


@settings(max_examples=50, deadline=None)
@given(
    metrics=odd_metrics,
    reasons=st.lists(st.text(max_size=200), max_size=2),
    encoding=st.sampled_from(["utf-8", "ascii"]),
)
def test_whatever_was_measured_fits_into_80_columns(metrics, reasons, encoding) -> None:
    measurement = websocket_measurement(metrics=tuple(metrics), windows=(), validity=Validity(tuple(reasons)))
    text = printed(verdict_of(measurement), encoding=encoding)
    assert max(cell_len(line) for line in text.split("\n")) <= 80


@pytest.mark.parametrize(
    ("shards", "fleet", "from_where"),
    [
        (1, None, ""),
        (2, None, ", 2 shards"),
        (1, "Dask of 1 machine", ", 1 shard on Dask of 1 machine"),
        (3, "Dask of 2 machines", ", 3 shards on Dask of 2 machines"),
    ],
)
def test_the_load_says_from_where_it_came(shards: int, fleet: str | None, from_where: str) -> None:
    whole = websocket_measurement()
    plan = whole.plan.model_copy(update={"shards": shards})
    load = load_in_words(replace(whole, plan=plan, host={**whole.host, "fleet": fleet}))
    assert load == f"100 users, open model, 50 messages/s{from_where}"
