"""``nightbench history export``: the dataset, or a part of it, as files for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nightbench import settings as settings_module
from nightbench.cli import flags, history_flags
from nightbench.cli.history_flags import run_filter, tell_unreadable
from nightbench.errors import ConfigurationError, ExitCode

Target = Annotated[
    Path,
    Parameter(
        help="a file that ends in .csv, .json or .parquet, one row a metric; or a folder, which gets a file "
        "each of runs, metrics, windows, verdicts, marks and noise"
    ),
]
Form = Annotated[
    Literal["csv", "json", "parquet"] | None,
    Parameter("--format", help="of the files of a folder; parquet unless given"),
]


def export(
    target: Target,
    /,
    *,
    form: Form = None,
    suite: history_flags.SuiteFlag = None,
    tier: history_flags.TierFlag = None,
    environment: history_flags.Environment = None,
    since: history_flags.Since = None,
    until: history_flags.Until = None,
    last: history_flags.Last = None,
    valid: history_flags.ValidOnly = False,
    results: flags.Results = None,
    json: flags.Json = None,
) -> ExitCode:
    """Write stored runs for other tools: as one table of metrics, or all tables.

    All environments are written unless `--environment` names one.

    For example:

    - `nightbench history export nights.csv --tier full --since 2026-11-01`
    - `nightbench history export everything/ --format json`
    - `nightbench history export database.parquet --suite database --valid`
    """
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415  # --help stays quick
    from nightbench.history.export import export as write  # noqa: PLC0415
    from nightbench.history.store import HistoryStore  # noqa: PLC0415
    from nightbench.report.layout import Page  # noqa: PLC0415

    settings = settings_module.load({"environment": environment, "results": results})
    chosen = run_filter(
        environment=None if environment is None else settings.environment,
        suite=suite,
        tier=tier,
        since=since,
        until=until,
        last=last,
        valid=valid,
    )
    output = JsonOutput(json)
    store = HistoryStore(settings.results)
    if store.runs(chosen).empty:
        raise ConfigurationError(
            "TARGET", str(target), f"no run in {settings.results} fits", "see `nightbench history`"
        )
    try:
        written = write(store, target, form=form, chosen=chosen)
    except ValueError as error:
        raise ConfigurationError("--format", form, str(error), "leave it out, or name a folder") from None
    tell_unreadable(store)
    files = [{"path": str(each.path), "rows": each.rows} for each in written]
    code = output.write({"schema": 1, "files": files}, ExitCode.MET)
    if (console := output.summary_console) is not None:
        for each in written:
            rows = "1 row" if each.rows == 1 else f"{each.rows:,} rows"
            Page(console).line(f"{each.path}: {rows}")
    return code
