"""``nightbench capacity``: the highest load at which a WebSocket or a database keeps its targets."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Group, Parameter

from nightbench.capacity.asked import TIER, AskedSearch
from nightbench.capacity.chart_file import ChartFile
from nightbench.cli import flags, plan_flags
from nightbench.cli.telling import tell
from nightbench.errors import ExitCode
from nightbench.plan import Suite, Tier, TierChanges
from nightbench.planning import planned
from nightbench.settings import Settings

_EXIT_CODES = """Exit codes: 0 a load that keeps the targets was found, and confirmed; 1 none keeps them, or rows of
other tenants were read; 2 the command was wrong; 3 nothing could be measured, or the answer is not confirmed:
interrupted, or out of time."""

app = App(
    name="capacity",
    help=f"""The highest load that keeps the targets: users of the WebSocket, or queries a second of the database.

It doubles from `--start` as long as the targets are kept, then tries in between until the load that was kept and the
one that was not are as close as `--precision`, and tries these two again until one side leads by two. Each load is a
run with the role `capacity`, part of no baseline; an invalid one never counts.

For example:

- `nightbench capacity websocket --start 50 --highest 2000`
- `nightbench capacity database --start 50 --highest 1000 --chart knee.html`

{_EXIT_CODES}""",
    help_format="markdown",
)

_SEARCH = Group("Search", sort_key=3)

Search = Annotated[AskedSearch | None, Parameter(name="*", group=_SEARCH)]
TierFlag = Annotated[
    Tier,
    Parameter(
        "--tier",
        group=flags.PLAN,
        help="whose plan and targets each load has: quick, baseline, full or stress",
    ),
]
Chart = Annotated[
    str | None,
    Parameter(
        "--chart",
        group=flags.OUTPUT,
        help="write the knee as a chart: a file that ends with .svg, .png or .html",
    ),
]


@app.command
def websocket(
    *,
    url: flags.Url = None,
    token: flags.Token = None,
    environment: flags.Environment = None,
    release: flags.Release = None,
    wait: flags.Wait = None,
    search: Search = None,
    tier: TierFlag = TIER,
    plan: flags.PlanFile = None,
    header: flags.Headers = (),
    target: flags.Targets = (),
    results: flags.Results = None,
    json: flags.Json = None,
    chart: Chart = None,
) -> ExitCode:
    """How many users the WebSocket has room for.

    Each user does what it does in the tier's plan: the messages a second grow with the users.

    For example:

    - `nightbench capacity websocket --start 50 --highest 2000`: an hour at most, on the embedded backend
    - `nightbench capacity websocket --seconds 10 --minutes 10 --precision 10`: sooner, and less exactly
    - `nightbench capacity websocket --target 'message.response_time.p95 < 300' --chart knee.svg`
    - `nightbench capacity websocket --url wss://staging.example.org/chat --plan chat.yaml --json -`
    """
    settings = flags.settings_of(
        url=url, token=token, environment=environment, release=release, results=results, wait=wait
    )
    changes = TierChanges(websocket=plan_flags.websocket_changes(None, targets=target, headers=header))
    settings = plan_flags.with_plan_file(settings, plan)
    return _searched("websocket", settings, tier, changes, search, json=json, chart=chart)


@app.command
def database(
    *,
    dsn: flags.Dsn = None,
    environment: flags.Environment = None,
    release: flags.Release = None,
    wait: flags.Wait = None,
    search: Search = None,
    tier: TierFlag = TIER,
    plan: flags.PlanFile = None,
    target: flags.Targets = (),
    results: flags.Results = None,
    json: flags.Json = None,
    chart: Chart = None,
) -> ExitCode:
    """How many queries a second the database answers in time.

    They come from as many workers as the tier's plan has. It writes only where that was allowed: see `nightbench database prepare --help`.

    For example:

    - `nightbench capacity database --start 50 --highest 1000`: an hour at most, on the embedded PostgreSQL
    - `nightbench capacity database --seconds 10 --target 'query.response_time.p95 < 20'`
    - `nightbench capacity database --dsn postgresql://app@db.example.org/app --plan mix.yaml --chart knee.html`
    """
    settings = flags.settings_of(
        dsn=dsn, environment=environment, release=release, results=results, wait=wait
    )
    changes = TierChanges(database=plan_flags.database_changes(None, targets=target))
    settings = plan_flags.with_plan_file(settings, plan)
    return _searched("database", settings, tier, changes, search, json=json, chart=chart)


def _searched(
    suite: Suite,
    settings: Settings,
    tier: Tier,
    changes: TierChanges,
    search: AskedSearch | None,
    *,
    json: str | None,
    chart: str | None,
) -> ExitCode:
    plan, warnings = planned(settings, tier, changes, suites=[suite])
    asked = search or AskedSearch()
    bounds = asked.of(plan, suite, prefix="--")
    file = None if chart is None else ChartFile(chart, settings.cache)
    for warning in warnings:
        tell(warning)

    from nightbench.cli.searching import run_search  # noqa: PLC0415  # heavy, and only of use from here on

    return run_search(suite, settings, plan, bounds, seconds=asked.seconds, json=json, chart=file)
