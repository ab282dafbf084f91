"""Nobody reads any more what a night prints: it is kept, and the exit code says what came of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from warm import nightbench

STAGED = Path(__file__).with_name("staged.py")
KEPT = {"good": {"websocket": True, "database": True}, "interrupted": {"websocket": False}}
CODES = {"good": 0, "interrupted": 3}


@pytest.mark.slow
@pytest.mark.parametrize("stage", CODES)
def test_a_night_outlives_its_readers(prefect_server, tmp_path, stage):
    reader, closed = os.pipe()
    os.close(reader)
    mine = {"PREFECT_API_URL": prefect_server.api_url, "PREFECT_HOME": str(tmp_path / "prefect")}
    try:
        code = nightbench().run(
            *(STAGED, stage, "run", "quick", "--json", "it.json"),
            cwd=tmp_path,
            env={**os.environ, **mine, "NIGHTBENCH_CACHE": str(tmp_path / "cache")},
            stdout=closed,
            stderr=closed,
        )
    finally:
        os.close(closed)

    assert code == CODES[stage]
    runs = pd.read_parquet(tmp_path / "results" / "runs")
    assert dict(zip(runs["suite"], runs["complete"], strict=True)) == KEPT[stage]
    assert json.loads((tmp_path / "it.json").read_text())["exit_code"] == CODES[stage]
