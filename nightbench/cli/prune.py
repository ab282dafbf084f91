"""``nightbench history prune``: removing old runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nightbench import settings as settings_module
from nightbench.cli import flags, history_flags
from nightbench.cli.history_flags import tell_unreadable
from nightbench.cli.json_output import STDOUT
from nightbench.errors import NOT_GIVEN, ConfigurationError, ExitCode, MeasurementError

if TYPE_CHECKING:
    from nightbench.history.pruning import Pruned

Keep = Annotated[
    int | None,
    Parameter(
        "--keep",
        help="the newest so many nights of each environment, suite and tier stay; nights without a valid run are "
        "not counted",
    ),
]
KeepDays = Annotated[int | None, Parameter("--keep-days", help="what is younger than so many days stays")]
DryRun = Annotated[
    bool, Parameter("--dry-run", negative="", help="only tell what would be removed and what not")
]
Yes = Annotated[bool, Parameter("--yes", negative="", help="do not ask")]

_SHOWN = 20
_MOST = 100_000


def prune(
    *,
    keep: Keep = None,
    keep_days: KeepDays = None,
    suite: history_flags.SuiteFlag = None,
    tier: history_flags.TierFlag = None,
    environment: history_flags.Environment = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    results: flags.Results = None,
    json: flags.Json = None,
) -> ExitCode:
    """Remove old runs with their metrics and windows. What a pin, an epoch or an acceptance is about always stays.

    With both limits, what either keeps stays. What was judged and said of a run stays too.

    For example:

    - `nightbench history prune --keep 90 --dry-run`
    - `nightbench history prune --keep-days 365 --tier stress`
    - `nightbench history prune --keep 30 --keep-days 90 --yes`
    """
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415  # --help stays quick
    from nightbench.files import reason  # noqa: PLC0415
    from nightbench.history.filters import RunFilter  # noqa: PLC0415
    from nightbench.history.pruning import Limits, prunable  # noqa: PLC0415
    from nightbench.history.pruning import prune as remove  # noqa: PLC0415
    from nightbench.history.store import HistoryStore  # noqa: PLC0415
    from nightbench.report.layout import Page  # noqa: PLC0415

    _check(keep, keep_days)
    settings = settings_module.load({"environment": environment, "results": results})
    chosen = RunFilter(environment=settings.environment, suite=suite, tier=tier)
    output = JsonOutput(json)
    store = HistoryStore(settings.results)
    planned = prunable(store, Limits(keep, keep_days), chosen=chosen)
    if planned.removed and not dry_run:
        _ask(len(planned.removed), settings.environment, yes=yes, quiet=json == STDOUT)
    try:
        pruned = planned if dry_run else remove(store, planned, chosen=chosen)
    except OSError as error:
        msg = (
            f"{settings.results}: runs could not be removed: {reason(error)}; what is left goes the next time"
        )
        raise MeasurementError(msg) from error
    tell_unreadable(store)
    document = {"schema": 1, "dry_run": dry_run, "removed": list(pruned.removed), "kept": dict(pruned.kept)}
    code = output.write(document, ExitCode.MET)
    if (console := output.summary_console) is not None:
        for line in _told(pruned, settings.environment, dry_run=dry_run):
            Page(console).paragraph(line, first="", rest="    ")
    return code


def _check(keep: int | None, keep_days: int | None) -> None:
    if keep is None and keep_days is None:
        raise ConfigurationError(
            "--keep", NOT_GIVEN, "what stays has to be said", "--keep NIGHTS or --keep-days DAYS"
        )
    for flag, value in (("--keep", keep), ("--keep-days", keep_days)):
        if value is not None and not 0 <= value <= _MOST:
            raise ConfigurationError(flag, value, f"has to be from 0 to {_MOST}")


def _ask(amount: int, environment: str, *, yes: bool, quiet: bool) -> None:
    """Go on only when somebody said so.

    Raises:
        ConfigurationError: when nobody did.
    """
    if yes:
        return
    if quiet or not sys.stdin.isatty():
        problem = f"{_runs(amount)} would be removed and nobody can be asked"
        raise ConfigurationError("--yes", NOT_GIVEN, problem, "--yes goes on, --dry-run tells which")
    try:
        answer = input(f"Remove {_runs(amount)} of environment {environment!r} for good? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise ConfigurationError("--yes", NOT_GIVEN, "you did not say yes: nothing was removed")


def _told(pruned: Pruned, environment: str, *, dry_run: bool) -> Iterator[str]:
    amount = len(pruned.removed)
    if not amount:
        yield f"no run of environment {environment} is old enough to be removed"
    else:
        yield f"{'would remove' if dry_run else 'removed'} {_runs(amount)} of environment {environment}:"
        yield from pruned.removed[:_SHOWN]
        if amount > _SHOWN:
            yield f"and {amount - _SHOWN:,} more, up to {pruned.removed[-1]}"
    if pruned.kept:
        yield f"kept {_runs(len(pruned.kept))}, old as they are:"
        yield from (f"{run_id}: {why}" for run_id, why in pruned.kept.items())


def _runs(amount: int) -> str:
    return "1 run" if amount == 1 else f"{amount:,} runs"
