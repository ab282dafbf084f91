"""``nightbench history``: the stored runs, listed, shown, exported, copied, removed and marked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from nightbench import settings as settings_module
from nightbench.cli import flags, history_flags
from nightbench.cli.backup import backup
from nightbench.cli.export import export
from nightbench.cli.history_flags import NOWHERE_ELSE, Where, run_filter, tell_unreadable
from nightbench.cli.pins import epoch, pin, unpin
from nightbench.cli.prune import prune
from nightbench.errors import ConfigurationError, ExitCode
from nightbench.scrub import scrub
from nightbench.spelling import did_you_mean

if TYPE_CHECKING:
    from nightbench.history.filters import RunFilter
    from nightbench.history.store import HistoryStore

app = App(name="history")
app.command(export)
app.command(prune)
app.command(backup)
app.command(pin)
app.command(unpin)
app.command(epoch)

LISTED = 72
"""Runs that are listed unless more are asked for: of three nights with three tiers, four blocks and both suites."""

OneRun = Annotated[str, Parameter(help="its id, or the beginning of it; last for a night of one run")]


@app.default
def history(
    *words: Annotated[str, Parameter(show=False)],
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
    """List the stored runs: the newest 72, or all of a time.

    For example:

    - `nightbench history --tier full --since 2026-11-01`
    - `nightbench history --suite database --last 10 --valid --json -`
    - `nightbench history show 20261124T031500Z-full-websocket-9f2c4e`
    - `nightbench history export nights.csv --tier full`
    - `nightbench history prune --keep 90 --dry-run`
    - `nightbench history backup`: copy what the second location lacks
    - `nightbench history pin 20261120T0315 --why "the release everything is held against"`
    """
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415  # --help stays quick
    from nightbench.history.store import HistoryStore  # noqa: PLC0415
    from nightbench.report.layout import Page  # noqa: PLC0415
    from nightbench.report.listing import print_runs  # noqa: PLC0415

    if words:
        raise _a_name(words[0])
    settings = settings_module.load({"environment": environment, "results": results})
    limited = last is None and since is None and until is None
    chosen = run_filter(
        environment=settings.environment,
        suite=suite,
        tier=tier,
        since=since,
        until=until,
        last=LISTED if limited else last,
        valid=valid,
    )
    output = JsonOutput(json)
    store = HistoryStore(settings.results)
    rows, notes = _listed(store, chosen, limited=limited)
    p95 = _p95_of(store, rows) if output.summary_console is not None else {}
    tell_unreadable(store)
    code = output.write({"schema": 1, "runs": rows}, ExitCode.MET)
    if (console := output.summary_console) is not None:
        print_runs(console, rows, p95)
        for note in notes:
            Page(console).paragraph(note, first="", rest="")
    return code


@app.command
def show(
    run: OneRun,
    /,
    *,
    where: Where = NOWHERE_ELSE,
    json: flags.Json = None,
) -> ExitCode:
    """Show one run whole: plan, host, subject, validity, operations, metrics, targets, verdict, alerts and what was said.

    With `--json` it is the document that the run itself wrote, with its windows, the lines of the verdict on
    its night, the marks about it and the alerts of its night.

    For example:

    - `nightbench history show 20261124T031500Z-full-websocket-9f2c4e`
    - `nightbench history show last --tier quick --suite database --json run.json`
    """
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415  # --help stays quick
    from nightbench.history.marks import night_of  # noqa: PLC0415
    from nightbench.report.listing import mark_rows  # noqa: PLC0415
    from nightbench.report.stored_alerts import alert_lines, stored_alert_rows  # noqa: PLC0415
    from nightbench.report.stored_run import print_stored_run  # noqa: PLC0415

    output = JsonOutput(json)
    store, place = where.opened()
    stored = store.run(_one(store, run, place))
    night = (str(stored.row["environment"]), stored.suite, stored.tier, str(stored.row["night_id"]))
    marks = [mark for mark in store.marks(night[0]) if night_of(mark) == night]
    lines = store.lines(night[0], suite=stored.suite, tier=stored.tier)
    lines = lines[lines["night"].eq(night[3])].reset_index(drop=True)
    told = store.alerts(night[0], night=night[3], since=stored.row["started_at"])
    told = told[told["suite"].isin([stored.suite, "all"]) & told["tier"].isin([stored.tier, "all"])]
    tell_unreadable(store)
    document: dict[str, Any] = {
        **stored.document(),
        "lines": _lines(lines),
        "marks": mark_rows(marks),
        "alerts": stored_alert_rows(told),
    }
    code = output.write(document, ExitCode.MET)
    if (console := output.summary_console) is not None:
        print_stored_run(console, stored, lines, marks, alert_lines(told))
    return code


@app.command
def marks(
    *,
    where: Where = NOWHERE_ELSE,
    json: flags.Json = None,
) -> ExitCode:
    """List what people said about runs: what was accepted, muted, said to be invalid, pinned, and why.

    For example:

    - `nightbench history marks`
    - `nightbench history marks --tier full --json -`
    """
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415  # --help stays quick
    from nightbench.report.layout import Page  # noqa: PLC0415
    from nightbench.report.listing import mark_rows, print_marks  # noqa: PLC0415

    output = JsonOutput(json)
    store, place = where.opened()
    every = store.marks()
    found = [
        mark
        for mark in every
        if mark.environment == place.environment
        and place.suite in (None, mark.suite)
        and place.tier in (None, mark.tier)
    ]
    tell_unreadable(store)
    code = output.write({"schema": 1, "marks": mark_rows(found)}, ExitCode.MET)
    if (console := output.summary_console) is not None:
        print_marks(console, found)
        if not found:
            about = " ".join(
                [*filter(None, (place.tier, place.suite)), f"of environment {place.environment}"]
            )
            Page(console).paragraph(f"nothing was said {about} yet", first="")
        if elsewhere := {mark.environment for mark in every} - {place.environment}:
            Page(console).paragraph(_others(elsewhere), first="", rest="")
    return code


def _a_name(word: str) -> ConfigurationError:
    """The list takes no name: one run is shown, or it was a command."""
    name = scrub(word)
    commands = [each for each in app if not each.startswith("-")]
    shown = f"`nightbench history show {name}` shows one run, `--last 8` lists the newest"
    way_out = did_you_mean(name, commands, otherwise=shown, cutoff=0.6)
    return ConfigurationError("history", name, "lists runs by its flags and takes no name", way_out)


def _listed(
    store: HistoryStore, chosen: RunFilter, *, limited: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows, and what a reader has to know about what is not among them."""
    from dataclasses import replace  # noqa: PLC0415  # only of use here

    from nightbench.history.filters import RunFilter  # noqa: PLC0415  # --help stays quick
    from nightbench.report.listing import regressions_of, run_rows  # noqa: PLC0415

    every = store.runs(RunFilter(suite=chosen.suite, tier=chosen.tier))
    runs = chosen.of(every)
    lines = store.lines(chosen.environment, suite=chosen.suite, tier=chosen.tier, columns=("metric", "state"))
    rows = run_rows(runs, regressions_of(lines), store.marks(chosen.environment))
    if every.empty and chosen.suite is None and chosen.tier is None:
        way_out = "`nightbench run quick` measures something"
        return rows, [scrub(f"nothing is stored in {store.root} yet; {way_out}")]
    notes = [] if rows else ["no run fits"]
    if limited and (older := len(replace(chosen, last=None).of(every)) - len(runs)):
        notes.append(f"{older:,} older runs: see --since, --last")
    elsewhere = set(RunFilter(suite=chosen.suite).of(every)["environment"]) - {chosen.environment}
    if elsewhere:
        notes.append(_others(elsewhere))
    return rows, notes


def _others(environments: Iterable[str]) -> str:
    return f"other environments: {', '.join(sorted(environments))}; see --environment"


def _p95_of(store: HistoryStore, rows: list[dict[str, Any]]) -> dict[str, str]:
    """The main value of each of the runs that are listed."""
    from datetime import datetime  # noqa: PLC0415  # only of use here
    from typing import get_args  # noqa: PLC0415

    from nightbench.measurement import Role  # noqa: PLC0415  # --help stays quick
    from nightbench.report.listing import p95_of  # noqa: PLC0415

    if not rows:
        return {}
    began = [datetime.fromisoformat(row["started_at"]) for row in rows]
    environment = rows[0]["environment"]
    return p95_of(store.nights(environment, since=min(began), until=max(began), roles=get_args(Role)))


def _one(store: HistoryStore, name: str, place: Any) -> str:
    """The id of the one run that is meant.

    Raises:
        ConfigurationError: when there is none, or more than one.
    """
    from nightbench.cli.selection import choose, stored_runs  # noqa: PLC0415  # --help stays quick

    found = choose(name, stored_runs(store, place), place)
    ids = list(found.runs["run_id"])
    if len(ids) > 1:
        several = " ".join([*ids[:8], *(["…"] if len(ids) > 8 else [])])
        raise ConfigurationError("RUN", name, f"is {len(ids)} runs, name one of {several}")
    return str(ids[0])


def _lines(lines: Any) -> Any:
    from nightbench.history.record import clean  # noqa: PLC0415  # --help stays quick

    return clean(lines.astype(object).where(lines.notna(), None).to_dict("records"))
