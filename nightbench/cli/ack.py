"""``nightbench ack``: what becomes of a regression that the verdict found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from nightbench.cli import flags, history_flags
from nightbench.cli.history_flags import NOWHERE_ELSE, Said, Where
from nightbench.errors import NOT_GIVEN, ConfigurationError, ExitCode
from nightbench.scrub import scrub
from nightbench.spelling import did_you_mean

if TYPE_CHECKING:
    from nightbench.cli.marking import About
    from nightbench.history.store import HistoryStore

app = App(
    name="ack",
    usage="Usage: nightbench ack COMMAND RUN …",
    help="""Acknowledge a regression: accept it, mute it, or say that the night was no measurement.

A night with a regression is flagged: it stays out of the baseline until somebody has said what it is. What is said
is stored beside the runs, with who and why; `nightbench history marks` lists it.

For example:

- `nightbench ack accept last message.response_time.p95 --why "answers are longer since 4.2"`
- `nightbench ack mute 20261124T0315 'query.*' --until 2026-12-24 --why "the index comes with 4.3"`
- `nightbench ack invalid last --tier stress --why "a backup ran at the same time"`""",
    help_format="markdown",
)

_KINDS = ("accept", "mute", "invalid")

Run = Annotated[
    str,
    Parameter(
        help="a run or night, by its id or the beginning of it; last, last~1; a night stands for every suite and tier "
        "that has a regression in it, or that --suite or --tier names"
    ),
]
Metric = Annotated[str, Parameter(help="names, or patterns such as `'query.*'`")]
Date = Annotated[
    str,
    Parameter(
        "--until",
        group=history_flags.SAYING,
        help="from this day or instant on alerts are wanted again: 2026-12-24, in UTC unless it names its zone; it has "
        "to be in the future",
    ),
]


@app.default
def _what(*words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]) -> ExitCode:
    """What it is has to be said before which run."""
    if not words:
        app.help_print()
        return ExitCode.MET
    first, *_ = words
    example = f"`nightbench ack accept {scrub(first)} --why …`, for example"
    way_out = did_you_mean(first, _KINDS, otherwise=example, cutoff=0.6)
    raise ConfigurationError("ack", scrub(first), "first say what it is: accept, mute or invalid", way_out)


@app.command
def accept(
    run: Run,
    /,
    *metric: Metric,
    said: Said,
    where: Where = NOWHERE_ELSE,
    json: flags.Json = None,
) -> ExitCode:
    """The new level is the normal one, from this night on: an epoch of these metrics begins.

    Without a metric it is about those with a regression in that night; where there is none, about all.

    For example:

    - `nightbench ack accept last message.response_time.p95 --why "answers are longer since 4.2"`
    - `nightbench ack accept 20261124T0315 --tier full --why "two statements more a request"`
    """
    from nightbench.cli.marking import reason_of, say, speaker, unaccepted  # noqa: PLC0415  # --help stays quick

    store, about = _about(run, where)
    found = _metrics(store, about, metric) or {each: each.regressions for each in about}
    notes = [
        f"{each.words} had no regression: a new epoch begins with it all the same"
        for each in found
        if not each.regressions
    ]
    notes += [
        f"{each.words} stays flagged: {', '.join(left)} is not accepted"
        for each, metrics in found.items()
        if (left := unaccepted(each, metrics))
    ]
    return say(
        store, "accept", found.items(), who=speaker(said.who), why=reason_of(said.why), json=json, notes=notes
    )


@app.command
def mute(
    run: Run,
    /,
    *metric: Metric,
    until: Date,
    said: Said,
    where: Where = NOWHERE_ELSE,
    json: flags.Json = None,
) -> ExitCode:
    """It is known: no alert of these metrics until a day. They are judged and shown as ever.

    For example:

    - `nightbench ack mute last query.response_time.p95 --until 2026-12-24 --why "the index comes with 4.3"`
    - `nightbench ack mute last '*' --suite database --until 2026-12-24 --why "migration week"`
    """
    from nightbench.cli.marking import reason_of, say, speaker  # noqa: PLC0415  # --help stays quick
    from nightbench.cli.selection import day  # noqa: PLC0415

    end = day(until, "--until")
    if end <= datetime.now(UTC):
        raise ConfigurationError(
            "--until", scrub(until), "is not in the future", "name the day on which alerts are wanted again"
        )
    if not metric:
        raise ConfigurationError("METRIC", NOT_GIVEN, "which metrics has to be said", "'*' for all")
    store, about = _about(run, where)
    found = _metrics(store, about, metric)
    return say(
        store, "mute", found.items(), who=speaker(said.who), why=reason_of(said.why), until=end, json=json
    )


@app.command
def invalid(
    run: Run,
    /,
    *metric: Metric,
    said: Said,
    where: Where = NOWHERE_ELSE,
    json: flags.Json = None,
) -> ExitCode:
    """The night was no measurement: it is compared with nothing, and nothing with it.

    Without a metric it is about all metrics of the suite and tier.

    For example:

    - `nightbench ack invalid 20261124T031500Z-full-database-9f2c4e --why "a backup ran at the same time"`
    - `nightbench ack invalid last --tier stress --why "the staging cluster was being upgraded"`
    """
    from nightbench.cli.marking import reason_of, say, speaker  # noqa: PLC0415  # --help stays quick

    store, about = _about(run, where)
    found = _metrics(store, about, metric) or dict.fromkeys(about, ())
    return say(store, "invalid", found.items(), who=speaker(said.who), why=reason_of(said.why), json=json)


def _about(run: str, where: Where) -> tuple[HistoryStore, list[About]]:
    """The suites and tiers of a night that are meant.

    Raises:
        ConfigurationError: when there are none.
    """
    from nightbench.cli.marking import chosen_nights  # noqa: PLC0415  # --help stays quick

    store, place = where.opened()
    chosen, about = chosen_nights(store, run, place)
    if len(chosen.nights) > 1:
        raise ConfigurationError("RUN", scrub(run), f"is {len(chosen.nights)} nights", "name one of them")
    if chosen.kind == "run" or where.suite is not None or where.tier is not None:
        return store, about
    flagged = [each for each in about if each.regressions]
    if not flagged:
        has = ", ".join(f"{each.tier} {each.suite}" for each in about)
        problem = f"no suite and tier of it has a regression; it has {has}"
        raise ConfigurationError("RUN", scrub(run), problem, "name a run, --suite or --tier")
    return store, flagged


def _metrics(
    store: HistoryStore, about: list[About], metric: tuple[str, ...]
) -> dict[About, tuple[str, ...]]:
    from nightbench.cli.marking import named_metrics  # noqa: PLC0415  # --help stays quick

    return named_metrics(store, about, metric) if metric else {}
