"""All figures of a run: whole, small, drawable, the same each time, and plain text whatever others wrote."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hostile import PIECES
from stored import WINDOW_COLUMNS, database_run, websocket_run, window
from test_report_charts import WHOLE

from nightbench.history.runs import StoredRun
from nightbench.report.charts.drawing import svgs
from nightbench.report.charts.figure import Figure
from nightbench.report.figures.diagnosis import findings_of, tables_of
from nightbench.report.figures.of_a_run import figures_of_run
from nightbench.report.figures.trend import trend_figure

KEYS = ["over-time", "heat-map", "distribution", "errors", "time-by-part", "generator", "send-lag"]
SECRET = "postgresql://owner:hunter2secret@db/app"
HOSTILE = f"x</script><img src=x onerror=alert(1)>\"'|\n# ](http://evil.example) `{SECRET}`"
LONGEST = 90
"""Characters of a text of others in a chart."""


def course_of(
    operation: str, median_ms: float, *, seconds: int = 40, seed: int = 1
) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    for second in range(seconds):
        never = 2 if second in {20, 21} else 0
        values = rng.lognormal(np.log(median_ms), 0.4, 40)
        yield window(second, values, operation=operation, never=never)
        yield window(second, values / 100, operation=operation, quantity="send_lag")


def night(number: int) -> StoredRun:
    run = websocket_run(course_of("message", 15.0, seed=10 + number, seconds=12))
    return replace(run, row={**run.row, "night_id": f"night{number}"})


RUN = websocket_run(course_of("message", 20.0))
EARLIER = [night(number) for number in range(4)]
_SEEN = pd.DataFrame([{"name": "query.send_lag.p99", "value": 0.4, "unit": "ms", "n": 1600}])
DATABASE = database_run(course_of("query", 4.0))
DATABASE = replace(DATABASE, metrics=pd.concat([DATABASE.metrics, _SEEN], ignore_index=True))


def with_row(run: StoredRun, **changes: Any) -> StoredRun:
    return replace(run, row={**run.row, **changes})


def hostile_run(words: str) -> StoredRun:
    """A run in which whatever somebody else may name has this name."""
    account = {"scheduled": 9, "ok": 5, "failed": 4, "timed_out": 0, "skipped": 1, "errors": {words: 4}}
    named = {"name": words, "share": 0.5, "p95_ms": 1.5, "alone_ms": 0.5, "hot": words}
    finding = dict.fromkeys(("kind", "subject", "text", "suggestion"), words)
    run = with_row(
        DATABASE,
        operations={words: account, "query": account},
        details={
            "lost": {words: 2},
            "findings": [finding],
            "slowest": [named],
            "not_seen": [words],
            "leaks": {words: 1},
        },
    )
    metrics = pd.DataFrame([{"name": f"server.{words}", "value": 1.0, "unit": words, "n": 1}])
    return replace(run, tier=words, metrics=pd.concat([run.metrics, metrics], ignore_index=True))


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    """All there are, of ordinary runs and of a hostile one."""
    hostile = replace(WHOLE, metric=HOSTILE, environment=HOSTILE, unit=HOSTILE)
    released = tuple(replace(each, release=HOSTILE) for each in WHOLE.nights)
    return [
        *figures_of_run(RUN, EARLIER),
        *figures_of_run(DATABASE, []),
        *figures_of_run(hostile_run(HOSTILE), []),
        trend_figure(WHOLE),
        trend_figure(replace(hostile, nights=released)),
    ]


def marks(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for layer in node.get("layer", ()):
        yield from marks(layer)
    if "mark" in node:
        yield node


def data_names(node: Mapping[str, Any]) -> Iterator[str]:
    for layer in node.get("layer", ()):
        yield from data_names(layer)
    if "data" in node:
        yield node["data"]["name"]


def texts(node: Any) -> Iterator[str]:
    match node:
        case str():
            yield node
        case Mapping():
            for name, each in node.items():
                yield from (name, *texts(each))
        case list() | tuple():
            for each in node:
                yield from texts(each)


def test_a_run_has_all_its_figures_in_the_order_of_the_questions():
    assert [figure.key for figure in figures_of_run(RUN, EARLIER)] == KEYS
    assert [figure.key for figure in figures_of_run(DATABASE, [])] == KEYS


def test_each_of_them_can_be_drawn(figures):
    drawn = svgs([figure.spec for figure in figures])
    assert [figure.key for figure, svg in zip(figures, drawn, strict=True) if svg is None] == []
    assert all("hunter2secret" not in svg and "<img" not in svg for svg in drawn if svg)


def test_each_has_a_title_words_and_a_table_in_which_no_row_lacks_a_cell(figures):
    for figure in figures:
        assert figure.title
        assert figure.alt.endswith(".")
        assert figure.table.rows
        assert {len(row) for row in figure.table.rows} == {len(figure.table.head)}
        assert re.fullmatch(r"[a-z0-9-]+", figure.key)


def test_each_is_small_and_its_data_are_apart(figures):
    for figure in figures:
        assert len(json.dumps(figure.spec, allow_nan=False)) < 60_000
        assert set(data_names(figure.spec)) == set(figure.spec["datasets"])
        assert '"url"' not in json.dumps(figure.spec)


def test_whatever_is_drawn_but_a_line_tells_its_values_when_hovered(figures):
    for figure in figures:
        for mark in marks(figure.spec):
            kind = mark["mark"]["type"]
            assert kind == "line" or mark["encoding"].get("tooltip"), (figure.key, kind)


def test_the_same_run_gives_the_same_figures():
    assert json.dumps([figure.spec for figure in figures_of_run(RUN, EARLIER)]) == json.dumps(
        [figure.spec for figure in figures_of_run(replace(RUN), list(EARLIER))]
    )


def test_what_others_named_tells_no_secret_and_is_one_line(figures):
    for figure in figures:
        told = [
            figure.title,
            figure.alt,
            *texts(figure.spec),
            *texts(figure.table.head),
            *texts(figure.table.rows),
        ]
        assert not any("hunter2secret" in each for each in told)
        assert not any("\n" in each for each in told)
        rows = [row for rows in figure.spec["datasets"].values() for row in rows]
        assert all(len(each) <= LONGEST + len("query: ") for each in texts(rows))


def test_findings_and_tables_are_plain_text_of_one_line_each_without_secrets():
    run = hostile_run(HOSTILE)
    (finding,) = findings_of(run)
    found = [finding.kind, finding.subject, finding.text, finding.suggestion]
    found += [cell for each in tables_of(run) for row in each.table.rows for cell in row]
    assert not any("hunter2secret" in each or "\n" in each for each in found)
    assert "<img src=x onerror=alert(1)>" in finding.text  # text stays text; the page escapes it


@pytest.mark.parametrize("seed", range(2))
def test_whatever_others_wrote_there_are_figures(seed):
    words = "".join(random.Random(seed).choices(PIECES, k=30))
    run = hostile_run(words)
    assert [figure.key for figure in figures_of_run(run, [])] == KEYS
    assert findings_of(run)
    assert tables_of(run)


def test_the_findings_are_those_of_the_run_and_a_table_has_the_slowest_statements():
    finding = {"kind": "unused_index", "subject": "i", "text": "never read", "suggestion": "DROP INDEX i"}
    slow = {"name": "expense_listing", "share": 0.25, "p95_ms": None, "alone_ms": 0.3, "hot": "Sort: 0.1 ms"}
    run = with_row(
        DATABASE, details={"findings": [finding, "no finding"], "slowest": [slow], "not_seen": ["why"]}
    )
    (found,) = findings_of(run)
    assert (found.kind, found.subject, found.suggestion) == ("unused index", "i", "DROP INDEX i")
    slowest, server, absent = tables_of(run)
    assert slowest.table.rows == (("expense_listing", "25.00 %", "–", "0.300 ms", "Sort: 0.1 ms"),)
    assert ("pool size", "20") in server.table.rows
    assert absent.table.rows == (("not seen", "why"),)


NOTHING = websocket_run([])


@pytest.mark.parametrize(
    "run",
    [
        replace(NOTHING, metrics=NOTHING.metrics.iloc[:0], row={"operations": {}, "details": {}}),
        replace(NOTHING, metrics=NOTHING.metrics.iloc[:0], row={"operations": None, "details": None}),
        replace(NOTHING, metrics=NOTHING.metrics.iloc[:0], row={"operations": ["x"], "details": "x"}),
        replace(
            NOTHING,
            suite="another",
            metrics=pd.DataFrame(
                [("message.send_lag.p99", float("nan"), "ms", 0)], columns=["name", "value", "unit", "n"]
            ),
            row={"operations": {"message": {"failed": float("inf"), "errors": [1]}, "query": 3}},
        ),
    ],
    ids=["nothing", "null", "no objects", "another suite"],
)
def test_what_there_is_nothing_of_is_left_out(run):
    assert figures_of_run(run, []) == ()
    assert findings_of(run) == ()
    assert tables_of(run) == ()


def test_what_is_no_histogram_costs_its_figures_alone():
    torn = replace(
        RUN,
        windows=pd.DataFrame(
            [(0, 1, "message", quantity, 5, "no histogram") for quantity in ("response_time", "send_lag")],
            columns=list(WINDOW_COLUMNS),
        ),
    )
    assert [figure.key for figure in figures_of_run(torn, EARLIER)] == ["errors", "time-by-part", "generator"]
    assert [figure.key for figure in figures_of_run(RUN, [torn])] == KEYS


def test_of_each_night_one_run_is_looked_into_and_of_too_many_windows_only_the_last(monkeypatch):
    def baseline(earlier: list[StoredRun]) -> str:
        figure = next(each for each in figures_of_run(RUN, earlier) if each.key == "distribution")
        return figure.table.head[2] if len(figure.table.head) > 2 else ""

    assert baseline([*EARLIER, *EARLIER]) == "4 earlier nights"
    assert baseline([]) == ""
    windows = int((EARLIER[0].windows["quantity"] == "response_time").sum())
    monkeypatch.setattr("nightbench.report.figures.of_a_run.MOST_WINDOWS", 2 * windows + 1)
    assert baseline(EARLIER) == "2 earlier nights"
    monkeypatch.setattr("nightbench.report.figures.of_a_run.MOST_WINDOWS", 1)
    assert baseline(EARLIER) == "1 earlier night"
