"""The chart goes along with its alert, as far as the server."""

from __future__ import annotations

from pathlib import Path

from posted import CHART, event
from sentry_servers import kent

from nightbench.alerts.delivery import deliver
from nightbench.alerts.outbox import Outbox


def test_a_chart_arrives_as_an_attachment_of_its_event(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    told = event()
    outbox.put(told, [CHART])
    with kent(tmp_path) as server:
        assert deliver(outbox, server.dsn).delivered == 1
        (attachment,) = server.wait_items("attachment", 1)
        (arrived,) = server.wait_items("event", 1)
    assert attachment.body == CHART.content
    assert attachment.header["filename"] == CHART.filename
    assert arrived.body["event_id"] == attachment.envelope["event_id"] == told["event_id"]
