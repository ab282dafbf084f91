"""``nightbench websocket``: one WebSocket load test."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from nightbench.cli import flags, plan_flags
from nightbench.cli.telling import tell
from nightbench.errors import ExitCode
from nightbench.plan import TierChanges
from nightbench.planning import planned


def websocket(
    *,
    url: flags.Url = None,
    token: flags.Token = None,
    environment: flags.Environment = None,
    release: flags.Release = None,
    wait: flags.Wait = None,
    tier: flags.TierFlag = "quick",
    quick: flags.Quick = False,
    plan_file: flags.PlanFile = None,
    plan: Annotated[plan_flags.WebSocketFlags | None, Parameter(name="*")] = None,
    header: flags.Headers = (),
    target: flags.Targets = (),
    results: flags.Results = None,
    json: flags.Json = None,
) -> ExitCode:
    """Load a chat WebSocket with many users, each on a connection of its own.

    For example:

    - `nightbench websocket`: 10 users for a minute against the embedded backend
    - `nightbench websocket --url wss://staging.example.org/chat --tier full --quick`
    - `nightbench websocket --users 200 --duration 60 --rate 100 --json -`
    - `nightbench websocket --model closed --think 2 --target 'message.response_time.p95 < 500'`
    - `nightbench websocket --url wss://staging.example.org/chat --plan chat.yaml --users 20`
    """
    settings = flags.settings_of(
        url=url, token=token, environment=environment, release=release, results=results, wait=wait
    )
    changes = TierChanges(websocket=plan_flags.websocket_changes(plan, targets=target, headers=header))
    settings = plan_flags.with_plan_file(settings, plan_file)
    tier_plan, warnings = planned(settings, tier, changes, quick=quick, suites=["websocket"])
    for warning in warnings:
        tell(warning)

    from nightbench.cli.suite import run_suite  # noqa: PLC0415  # heavy, and only of use from here on

    return run_suite("websocket", settings, tier_plan, json=json)
