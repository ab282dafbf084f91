"""``nightbench database prepare`` and ``clean``: letting load tests write somewhere, and removing what they left."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from nightbench import settings as settings_module
from nightbench.cli import flags, plan_flags
from nightbench.cli.telling import tell
from nightbench.errors import ConfigurationError, ExitCode
from nightbench.plan import TierChanges
from nightbench.planning import planned
from nightbench.settings import Settings

_DSN = "--dsn / NIGHTBENCH_DATABASE_DSN"

OwnerDsn = Annotated[
    str | None,
    Parameter(
        "--dsn",
        group=flags.SUBJECT,
        help="the PostgreSQL as its owner reaches it, postgresql://owner@host/database",
    ),
]
UsedDsn = Annotated[
    str | None,
    Parameter(
        "--dsn",
        group=flags.SUBJECT,
        help="the PostgreSQL as the runs have it, postgresql://role@host/database",
    ),
]
Undo = Annotated[bool, Parameter("--undo", negative="", help="take the permission back")]
Reference = Annotated[
    bool,
    Parameter(
        "--reference",
        negative="",
        help="make the tables and rows of the default workload in an empty database, as a superuser",
    ),
]
Tenants = Annotated[
    int | None, Parameter("--tenants", group=flags.PLAN, help="how many of the subject's tenants took part")
]


def prepare(*, dsn: OwnerDsn = None, undo: Undo = False, reference: Reference = False) -> ExitCode:
    """Let load tests write to a database.

    It makes an empty schema `nightbench` whose comment says so. A load test inserts, changes and deletes rows of
    its own there, each with a tag by which it is found again; it leaves all others alone. A dump or a copy of
    the database does not carry the permission along.

    For example:

    - `nightbench database prepare --dsn postgresql://owner@db.example.org/staging`
    - `nightbench database prepare --dsn postgresql://owner@db.example.org/staging --undo`
    - `nightbench database prepare --dsn postgresql://postgres@127.0.0.1/empty --reference`
    """
    if undo and reference:
        raise ConfigurationError("--undo", undo, "does not go with --reference", "leave one of them out")
    address = _address(settings_module.load({"database_dsn": dsn}), "name the database with --dsn")

    from nightbench.database.housekeeping.prepare import prepare_database, withdraw_permission  # noqa: PLC0415  # --help stays quick

    if undo:
        place, changed = withdraw_permission(address)
        _say(
            f"{place}: {'load tests may not write here any more' if changed else 'there was nothing to take back'}"
        )
        return ExitCode.MET
    if reference:
        _fill(address)
    place, changed = prepare_database(address)
    done = "made the schema nightbench, whose comment allows it" if changed else "it was prepared already"
    _say(f"""{place}: load tests may write here ({done}).
A load test inserts, changes and deletes rows of its own and removes them at its end; after a crash the next one
does, or `nightbench database clean`. `nightbench database prepare --undo` takes the permission back.""")
    return ExitCode.MET


def clean(
    *,
    dsn: UsedDsn = None,
    tier: flags.TierFlag = "quick",
    plan_file: flags.PlanFile = None,
    tenants: Tenants = None,
) -> ExitCode:
    """Remove the rows that crashed runs left behind, as the next run would.

    Only rows with the tag of a run are removed, from the tables of the workload. It has the same plan as the
    runs had, and waits for none of them: while one is at work it is refused.

    For example:

    - `nightbench database clean --dsn postgresql://authenticator@db.example.org/staging`
    - `nightbench database clean --dsn postgresql://app@db.example.org/staging --plan workload.yaml`
    """
    settings = settings_module.load({"database_dsn": dsn})
    nothing = (
        "name a database with --dsn; the embedded one is thrown away after each run, with all that is in it"
    )
    address = _address(settings, nothing)
    changes = TierChanges(
        database=plan_flags.database_changes(
            plan_flags.DatabaseFlags.model_construct(tenants=tenants), targets=()
        )
    )
    settings = plan_flags.with_plan_file(settings, plan_file)
    tier_plan, warnings = planned(settings, tier, changes, suites=["database"])
    for warning in warnings:
        tell(warning)

    from nightbench.database.housekeeping.cleaning import clean_database  # noqa: PLC0415  # --help stays quick

    place, removed = clean_database(address, tier_plan.database, allowed=settings.database_allowed)
    rows = "1 row" if removed == 1 else f"{removed:,} rows"
    _say(
        f"{place}: removed {rows} of earlier runs"
        if removed
        else f"{place}: earlier runs left nothing behind"
    )
    return ExitCode.MET


def _address(settings: Settings, way_out: str) -> str:
    if settings.database_dsn is None:
        raise ConfigurationError(_DSN, "", "no database is named", way_out)
    return settings.database_dsn.get_secret_value()


def _fill(dsn: str) -> None:
    from nightbench.reference.fill import fill_database  # noqa: PLC0415  # --help stays quick

    filled = fill_database(dsn)
    _say(f"""Made the default workload's schema with {filled.tenants:,} tenants and {filled.expenses:,} expenses.
Load tests log in as authenticator, which has no password yet: ALTER ROLE authenticator PASSWORD '…'.""")


def _say(text: str) -> None:
    print(text)  # noqa: T201  # what was asked for
