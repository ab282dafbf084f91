"""Where a flow run can be looked at: its pages in the UI of a Prefect server."""

from __future__ import annotations

from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.settings import get_current_settings

from nightbench.scrub import stored_address
from tasks.publish import KEY

_V2 = "/v2"


def current_run() -> FlowRun | None:
    """The flow run that this is called in, if any."""
    context = FlowRunContext.get()
    return None if context is None else context.flow_run


def links_of(run: FlowRun | None) -> dict[str, str]:
    """The pages of a flow run and its summary, by name; none where the server has no UI, as an embedded one."""
    base = _shown_first()
    if run is None or not base:
        return {}
    pages = {"run": f"{base}/runs/flow-run/{run.id}", "summary": f"{base}/artifacts/key/{KEY}"}
    return {name: stored_address(page) for name, page in pages.items()}


def _shown_first() -> str:
    """The UI that a server leads to from its root: its second one below ``/v2``, unless told otherwise; Cloud has one."""
    settings = get_current_settings()
    base = (settings.ui_url or "").rstrip("/")
    cloud = (settings.cloud.ui_url or "").rstrip("/")
    has_one = bool(cloud) and base.startswith(cloud)
    if not base or has_one or base.endswith(_V2) or not settings.server.ui.v2_enabled:
        return base
    return f"{base}{_V2}"
