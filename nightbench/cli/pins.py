"""``nightbench history pin``, ``unpin`` and ``epoch``: what later nights are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nightbench import settings as settings_module
from nightbench.cli import flags, history_flags
from nightbench.errors import ConfigurationError, ExitCode

if TYPE_CHECKING:
    from nightbench.cli.selection import Place
    from nightbench.history.marks import MarkKind
    from nightbench.history.store import HistoryStore

Runs = Annotated[
    str,
    Parameter(
        help="runs or nights by their ids or the beginnings of them; last:5; days 2026-11-01..2026-11-10; a run "
        "stands for its night, suite and tier"
    ),
]
First = Annotated[str, Parameter(help="its first run or night, by its id or the beginning of it; or last")]


def pin(
    *runs: Runs,
    why: history_flags.Why,
    who: history_flags.Who = None,
    suite: history_flags.SuiteFlag = None,
    tier: history_flags.TierFlag = None,
    environment: history_flags.Environment = None,
    results: flags.Results = None,
    json: flags.Json = None,
) -> ExitCode:
    """Compare later nights with these instead of the last ones. What is pinned is never pruned.

    A suite and tier that has pinned nights is compared with them alone, until they are unpinned.

    For example:

    - `nightbench history pin 2026-11-01..2026-11-10 --tier full --why "release 4.2"`
    - `nightbench history pin last:10 --suite database --why "before the migration" --who anna`
    """
    store, place = _where(environment, results, suite, tier)
    return _say(store, place, "pin", runs, why=why, who=who, json=json)


def unpin(
    *runs: Runs,
    why: history_flags.Why,
    who: history_flags.Who = None,
    suite: history_flags.SuiteFlag = None,
    tier: history_flags.TierFlag = None,
    environment: history_flags.Environment = None,
    results: flags.Results = None,
    json: flags.Json = None,
) -> ExitCode:
    """Take pins back. Without any, nights are compared with the last ones again.

    For example:

    - `nightbench history unpin 2026-11-01..2026-11-10 --tier full --why "release 4.3 is out"`
    """
    store, place = _where(environment, results, suite, tier)
    return _say(store, place, "unpin", runs, why=why, who=who, json=json)


def epoch(
    run: First,
    /,
    *,
    why: history_flags.Why,
    who: history_flags.Who = None,
    suite: history_flags.SuiteFlag = None,
    tier: history_flags.TierFlag = None,
    environment: history_flags.Environment = None,
    results: flags.Results = None,
    json: flags.Json = None,
) -> ExitCode:
    """Begin an epoch of all metrics with a run: earlier nights are not compared with any more.

    A run stands for its suite and tier, a night for all of its own. Judging starts anew: the first nights of
    an epoch have no baseline yet.

    For example:

    - `nightbench history epoch last --tier stress --why "the database moved to another machine"`
    """
    store, place = _where(environment, results, suite, tier)
    return _say(store, place, "epoch", (run,), why=why, who=who, json=json)


def _where(
    environment: str | None,
    results: flags.Results,
    suite: history_flags.SuiteFlag,
    tier: history_flags.TierFlag,
) -> tuple[HistoryStore, Place]:
    from nightbench.cli.selection import Place  # noqa: PLC0415  # --help stays quick
    from nightbench.history.store import HistoryStore  # noqa: PLC0415

    settings = settings_module.load({"environment": environment, "results": results})
    return HistoryStore(settings.results), Place(settings.environment, suite, tier)


def _say(
    store: HistoryStore,
    place: Place,
    kind: MarkKind,
    names: tuple[str, ...],
    *,
    why: str,
    who: str | None,
    json: str | None,
) -> ExitCode:
    from nightbench.cli.marking import About, chosen_nights, reason_of, say, speaker  # noqa: PLC0415  # --help stays quick

    if not names:
        raise ConfigurationError("RUN", "", "which runs has to be said", "see `nightbench history`")
    found: dict[About, tuple[str, ...]] = {}
    for name in names:
        chosen, about = chosen_nights(store, name, place)
        if kind == "epoch" and len(chosen.nights) > 1:
            raise ConfigurationError("RUN", name, f"is {len(chosen.nights)} nights", "name the first one")
        found |= dict.fromkeys(about, ())
    return say(store, kind, found.items(), who=speaker(who), why=reason_of(why), json=json)
