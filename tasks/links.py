"""Where a flow run can be looked at: its pages in the UI of a Prefect server."""

from __future__ import annotations

from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_UI_URL
from prefect.utilities.urls import url_for

from nightbench.scrub import stored_address
from tasks.publish import KEY


def current_run() -> FlowRun | None:
    """The flow run that this is called in, if any."""
    context = FlowRunContext.get()
    return None if context is None else context.flow_run


def links_of(run: FlowRun | None) -> dict[str, str]:
    """The pages of a flow run and its summary, by name; none where the server has no UI, as an embedded one."""
    base = PREFECT_UI_URL.value()
    if run is None or not base:
        return {}
    pages = {
        "run": url_for("flow-run", obj_id=run.id),
        "summary": f"{base.rstrip('/')}/artifacts/key/{KEY}",
    }
    return {name: stored_address(page) for name, page in pages.items() if page}
