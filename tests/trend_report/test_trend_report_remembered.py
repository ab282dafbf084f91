"""The report reads a run once: what it read is in the cache."""

from __future__ import annotations

from builders import verdict_of, websocket_measurement

from nightbench.history import tidy
from nightbench.history.store import HistoryStore
from nightbench.settings import load
from nightbench.trend_report.suite_report import gathered_suite


def test_the_second_report_reads_no_metrics(tmp_path, monkeypatch):
    settings = load({"results": tmp_path / "results", "cache": tmp_path / "cache"})
    for number in range(3):
        run = websocket_measurement(number=number, windows=())
        HistoryStore(settings.results).save(run, verdict_of(run).targets)
    first = gathered_suite(settings, "full", "websocket", 30)
    read, asked = tidy._rows_of_files, []
    monkeypatch.setattr(
        tidy, "_rows_of_files", lambda reader, places: asked.extend(places) or read(reader, places)
    )
    assert gathered_suite(settings, "full", "websocket", 30).trend.metrics == first.trend.metrics
    assert asked == []
    assert [path.name for path in (tmp_path / "cache").rglob("*.parquet")] == ["websocket-full.parquet"]
