"""Where links to a flow run lead: into the UI that its server shows first."""

from __future__ import annotations

from uuid import UUID

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_UI_V2_ENABLED, PREFECT_UI_URL, temporary_settings

from tasks.links import links_of

RUN = FlowRun(id=UUID(int=7), flow_id=UUID(int=8))
LOCAL = "http://127.0.0.1:4200"
CLOUD = "https://api.prefect.cloud/api/accounts/a/workspaces/w"


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        ({PREFECT_API_URL: f"{LOCAL}/api"}, f"{LOCAL}/v2"),
        ({PREFECT_UI_URL: "https://prefect.example.org/"}, "https://prefect.example.org/v2"),
        ({PREFECT_UI_URL: f"{LOCAL}/v2"}, f"{LOCAL}/v2"),
        ({PREFECT_UI_URL: LOCAL, PREFECT_SERVER_UI_V2_ENABLED: False}, LOCAL),
        ({PREFECT_API_URL: CLOUD}, "https://app.prefect.cloud/account/a/workspace/w"),
    ],
)
def test_links_lead_to_the_ui_that_the_server_shows_first(settings, base):
    with temporary_settings(settings, restore_defaults={PREFECT_UI_URL}):
        assert links_of(RUN) == {
            "run": f"{base}/runs/flow-run/{RUN.id}",
            "summary": f"{base}/artifacts/key/nightbench-summary",
        }


def test_there_are_none_without_a_run_or_a_ui():
    with temporary_settings({PREFECT_UI_URL: ""}):
        assert links_of(RUN) == {}
        assert links_of(None) == {}
