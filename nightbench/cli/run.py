"""``nightbench run``: a whole tier, or the whole night, as the Prefect flow that it is elsewhere."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nightbench.cli import flags, plan_flags
from nightbench.cli.telling import tell
from nightbench.errors import ConfigurationError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightbench.outcome import NightOutcome

ENGINE = "nightbench.engine"
"""The entry points that run a flow by its name; see `flows.in_process.engine.run_flow`."""

FlowName = Annotated[
    str, Parameter(help="baseline, full, stress or quick; nightly for the first three in sequence")
]
Promises = Parameter(
    negative="",
    show_default=False,
    group=flags.PLAN,
    help="a promise on top of the default ones, METRIC OP LIMIT or LOWER <= METRIC <= UPPER; may be repeated",
)


def run(
    tier: FlowName,
    /,
    *,
    quick: flags.Quick = False,
    blocks: flags.Blocks = None,
    reruns: flags.Reruns = None,
    url: flags.Url = None,
    token: flags.Token = None,
    dsn: flags.Dsn = None,
    environment: flags.Environment = None,
    release: flags.Release = None,
    wait: flags.Wait = None,
    plan: flags.PlanFile = None,
    websocket: Annotated[plan_flags.WebSocketFlags | None, Parameter()] = None,
    websocket_target: Annotated[tuple[str, ...], Promises] = (),
    database: Annotated[plan_flags.DatabaseFlags | None, Parameter()] = None,
    database_target: Annotated[tuple[str, ...], Promises] = (),
    results: flags.Results = None,
    json: flags.Json = None,
) -> ExitCode:
    """Measure, record, judge, compare and alert: one tier, or the whole night.

    It runs as a Prefect flow in this process, on the server that `PREFECT_API_URL` names or else on an
    embedded one. Ctrl-C ends it early and keeps what was measured.

    For example:

    - `nightbench run nightly --quick`: the whole night in a few minutes on the embedded default
    - `nightbench run full --url wss://staging.example.org/chat --dsn postgresql://app@db.example.org/app`
    - `nightbench run baseline --websocket.users 80 --database.workers 5`
    - `nightbench run full --blocks 4 --reruns 4`: measured as carefully as in a night
    - `nightbench run quick --websocket-target 'message.response_time.p95 < 500' --json -`
    """
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415  # --help stays quick
    from nightbench.cli.terminal import Terminal  # noqa: PLC0415
    from nightbench.outcome import night_document, print_outcome  # noqa: PLC0415
    from nightbench.report.progress import progress_display  # noqa: PLC0415

    settings = flags.settings_of(
        url=url, token=token, dsn=dsn, environment=environment, release=release, results=results, wait=wait
    )
    changes = plan_flags.tier_changes(
        plan_flags.websocket_changes(
            websocket, targets=websocket_target, prefix="--websocket.", target="--websocket-target"
        ),
        plan_flags.database_changes(database, targets=database_target, target="--database-target"),
        blocks=blocks,
        reruns=reruns,
    )
    output = JsonOutput(json)
    progress = Terminal(stderr=True)
    outcome = _engine()(
        tier,
        plan_flags.with_plan_file(settings, plan, prefix="--{suite}.", target="--{suite}-target"),
        quick=quick,
        changes=changes,
        display=lambda running: progress_display(progress, label=running),
        on_note=tell,
    )
    code = output.write(night_document(outcome), outcome.exit_code)
    if (console := output.summary_console) is not None:
        print_outcome(console, outcome, settings)
    return code


def _engine() -> Callable[..., NightOutcome]:
    for point in entry_points(group=ENGINE):
        engine: Callable[..., NightOutcome] = point.load()
        return engine
    raise ConfigurationError(ENGINE, "", "nothing is installed that runs flows", "install nightbench again")
