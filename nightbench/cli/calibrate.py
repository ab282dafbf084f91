"""``nightbench calibrate``: the same build several times, to know what its numbers vary by."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from nightbench.cli import flags, plan_flags
from nightbench.cli.telling import tell
from nightbench.errors import ConfigurationError, ExitCode
from nightbench.plan import Suite, Tier
from nightbench.planning import SUITES, planned

Runs = Annotated[
    int, Parameter("--runs", group=flags.PLAN, help="how often each suite runs, 2 to 100; verdicts need 10")
]
OneSuite = Annotated[
    Suite | None, Parameter("--suite", group=flags.PLAN, help="only this one: websocket or database")
]


def calibrate(
    tier: Tier = "quick",
    /,
    *,
    runs: Runs = 10,
    suite: OneSuite = None,
    quick: flags.Quick = False,
    url: flags.Url = None,
    token: flags.Token = None,
    dsn: flags.Dsn = None,
    environment: flags.Environment = None,
    wait: flags.Wait = None,
    plan: flags.PlanFile = None,
    results: flags.Results = None,
    json: flags.Json = None,
) -> ExitCode:
    """Run a tier several times without a change, and say by how much each metric differs.

    What differs is noise: within a run, and from run to run. It is stored, and says which change one night can
    show. The runs are kept as calibration and are part of no baseline. Ctrl-C ends early and keeps what there is.

    For example:

    - `nightbench calibrate --quick`: ten runs of seconds each, of both suites, on the embedded default
    - `nightbench calibrate full --runs 5 --suite database --dsn postgresql://app@db.example.org/app`
    """
    if not 2 <= runs <= 100:
        raise ConfigurationError("--runs", runs, "has to be from 2 to 100")
    settings = flags.settings_of(
        url=url, token=token, dsn=dsn, environment=environment, results=results, wait=wait
    )
    settings = plan_flags.with_plan_file(settings, plan)
    suites = SUITES if suite is None else (suite,)
    tier_plan, warnings = planned(settings, tier, quick=quick, suites=suites)
    for warning in warnings:
        tell(warning)

    from nightbench.cli.calibrating import run_calibration  # noqa: PLC0415  # heavy, and only of use from here on

    return run_calibration(settings, tier_plan, suites, runs=runs, json=json)
