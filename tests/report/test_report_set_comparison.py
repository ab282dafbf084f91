"""Two sets of runs beside each other: what is printed where something is not known."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from nightbench.report.set_comparison import (
    Quantiles,
    SetComparison,
    Side,
    comparison_document,
    print_comparison,
)
from nightbench.verdict.sets.effects import SetEffect
from nightbench.verdict.sets.quantiles import QuantileShift, QuantileView

AT = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
SIDE = Side("last", ("r1", "r2"), ("n1",), AT, AT)
EFFECT = SetEffect(
    suite="websocket",
    tier="full",
    metric="message.response_time.p95",
    unit="ms",
    before=35.1,
    after=41.2,
    nights=(1, 1),
    effect=0.174,
    low=0.121,
    high=0.23,
    p=1e-4,
    p_adjusted=1e-3,
    noise=0.02,
    noise_of="earlier nights",
    higher_is_worse=True,
    gates=True,
    standing="worse",
)
VIEW = QuantileView(
    shifts=(
        QuantileShift(0.5, 20.0, 23.0, 0.15, 0.1, 0.2),
        QuantileShift(0.99, 50.0, 70.0, 0.4, 0.2, None),
        QuantileShift(0.999, 90.0, None),
    ),
    distance=0.15,
    at_least=True,
    samples=(1000, 1200),
    runs=(1, 1),
)
WHOLE = SetComparison(
    (SIDE, SIDE),
    (EFFECT,),
    (Quantiles("websocket", "full", "message.response_time", VIEW),),
    ("B has another plan",),
)


def printed(comparison: SetComparison, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    print_comparison(Console(file=file, width=200, force_terminal=False), comparison, whole=False)
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_it_fits_in_80_columns_in_any_encoding(encoding: str) -> None:
    assert max(map(len, printed(WHOLE, encoding).splitlines())) <= 80


def test_what_is_known_is_said() -> None:
    text = " ".join(printed(WHOLE).split())
    for words in (
        "last: 2 runs of n1, 2026-11-24 03:15 UTC",
        "- B has another plan",
        "+17.4 % +12.1 to +23.0 worse",
        "the noise of up to 20 earlier nights is taken",
        "P99 50 70 +40.0 % +20.0 to open",
        "P99.9 90 – – –",
        "moved by at least 15.0 % of the median",
        "1,000 and 1,200 samples",
        "is of all samples of a side together",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("noise_of", "words"),
    [
        ("nothing", "nothing stored tells its noise: `nightbench calibrate` measures it"),
        ("calibration", "the noise of the last calibration is taken"),
        ("blocks", "the spread of its blocks is taken"),
        ("one set", "the other side's is taken"),
    ],
)
def test_where_the_noise_is_known_from_is_said(noise_of, words) -> None:
    unknown = {"low": None, "high": None, "standing": "unknown"} if noise_of == "nothing" else {}
    effect = replace(EFFECT, noise_of=noise_of, **unknown)
    text = " ".join(printed(replace(WHOLE, effects=(effect,))).split())
    assert words in text
    assert ("?: no interval" in text) is (noise_of == "nothing")


def test_metrics_that_can_be_no_regression_are_counted() -> None:
    informs = replace(EFFECT, metric="message.response_time.max", gates=False)
    text = printed(replace(WHOLE, effects=(EFFECT, informs)))
    assert "response_time.max" not in text
    assert "1 more that can be no regression" in text


def test_the_document_is_plain_json_without_secrets() -> None:
    secret = replace(WHOLE, warnings=("postgresql://u:hunter2@h/d is invalid",))
    text = json.dumps(comparison_document(secret), allow_nan=False)
    assert "hunter2" not in text
    document = json.loads(text)
    assert document["metrics"][0]["nights"] == {"a": 1, "b": 1}
    assert document["quantiles"][0]["shifts"][1]["high"] is None
