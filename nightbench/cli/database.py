"""``nightbench database``: one database stress test; and what is to be done before and after some."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from nightbench.cli import flags, plan_flags
from nightbench.cli.housekeeping import clean, prepare
from nightbench.cli.telling import tell
from nightbench.errors import ExitCode
from nightbench.plan import TierChanges
from nightbench.planning import planned

app = App(name="database")
app.command(prepare)
app.command(clean)


@app.default
def database(
    *,
    dsn: flags.Dsn = None,
    environment: flags.Environment = None,
    release: flags.Release = None,
    wait: flags.Wait = None,
    tier: flags.TierFlag = "quick",
    quick: flags.Quick = False,
    plan_file: flags.PlanFile = None,
    plan: Annotated[plan_flags.DatabaseFlags | None, Parameter(name="*")] = None,
    target: flags.Targets = (),
    results: flags.Results = None,
    json: flags.Json = None,
) -> ExitCode:
    """Stress a PostgreSQL under row-level security, through SQLAlchemy's pool: with the statements of a plan file, or the
    assistant's own mix of 80 % reads and 20 % writes.

    It writes only where that was allowed: see `nightbench database prepare --help`.

    For example:

    - `nightbench database`: 1,000 queries against the embedded PostgreSQL
    - `nightbench database --dsn postgresql://authenticator@db.example.org/app --tier full`
    - `nightbench database --queries 20000 --workers 20 --rate 150 --json results.json`
    - `nightbench database --model closed --workers 10 --target 'query.response_time.p95 < 50'`
    """
    settings = flags.settings_of(
        dsn=dsn, environment=environment, release=release, results=results, wait=wait
    )
    changes = TierChanges(database=plan_flags.database_changes(plan, targets=target))
    settings = plan_flags.with_plan_file(settings, plan_file)
    tier_plan, warnings = planned(settings, tier, changes, quick=quick, suites=["database"])
    for warning in warnings:
        tell(warning)

    from nightbench.cli.suite import run_suite  # noqa: PLC0415  # heavy, and only of use from here on

    return run_suite("database", settings, tier_plan, json=json)
