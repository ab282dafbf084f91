"""What the documentation shows of a notebook runs, and says what it should."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from builders import websocket_measurement, with_metric

from nightbench.history.store import HistoryStore

TEXT = (Path(__file__).parents[2] / "docs/verdict.md").read_text()
JUDGE, SERIES = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
P95 = "message.response_time.p95"


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Eleven nights of which the last is worse by a half."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(1).normal(0, 0.03, 11)
    for number, off in enumerate(noise):
        night = websocket_measurement(number=number, windows=())
        worse = 1.5 if number == len(noise) - 1 else 1.0
        HistoryStore(tmp_path / "results").save(with_metric(night, P95, 30 * worse * np.exp(off)), ())


def test_a_night_is_judged_as_shown(kept):
    names: dict = {}
    exec(JUDGE, names)  # the example itself
    verdict = names["verdict"]
    assert [line.metric for line in verdict.suspects] == [P95]
    assert next(line for line in verdict.lines if line.metric == P95).floor == 0.1


def test_a_series_is_searched_as_shown(capsys):
    exec(SERIES, {})  # the example itself
    assert capsys.readouterr().out == "6 +20% True\n"
