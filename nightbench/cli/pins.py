"""``nightbench history pin``, ``unpin`` and ``epoch``: what later nights are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nightbench.cli import flags
from nightbench.cli.history_flags import NOWHERE_ELSE, Said, Where
from nightbench.errors import NOT_GIVEN, ConfigurationError, ExitCode

if TYPE_CHECKING:
    from nightbench.history.marks import MarkKind

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
    said: Said,
    where: Where = NOWHERE_ELSE,
    json: flags.Json = None,
) -> ExitCode:
    """Compare later nights with these instead of the last ones. What is pinned is never pruned.

    A suite and tier that has pinned nights is compared with them alone, until they are unpinned. It takes ten of
    them, unless the settings say otherwise, to find a regression.

    For example:

    - `nightbench history pin 2026-11-01..2026-11-10 --tier full --why "release 4.2"`
    - `nightbench history pin last:10 --suite database --why "before the migration" --who anna`
    """
    return _say("pin", runs, said, where, json=json)


def unpin(
    *runs: Runs,
    said: Said,
    where: Where = NOWHERE_ELSE,
    json: flags.Json = None,
) -> ExitCode:
    """Take pins back. Once none is left, nights are compared with the last ones again.

    Which ones has to be said; `nightbench history unpin --why …` alone tells which are pinned.

    For example:

    - `nightbench history unpin 2026-11-01..2026-11-10 --tier full --why "release 4.3 is out"`
    """
    return _say("unpin", runs, said, where, json=json)


def epoch(
    run: First,
    /,
    *,
    said: Said,
    where: Where = NOWHERE_ELSE,
    json: flags.Json = None,
) -> ExitCode:
    """Begin an epoch of all metrics with a run: earlier nights are not compared with any more.

    A run stands for its suite and tier, a night for all of its own. Judging starts anew: the first nights of
    an epoch have no baseline yet.

    For example:

    - `nightbench history epoch last --tier stress --why "the database moved to another machine"`
    """
    return _say("epoch", (run,), said, where, json=json)


def _say(kind: MarkKind, names: tuple[str, ...], said: Said, where: Where, *, json: str | None) -> ExitCode:
    from nightbench.cli.marking import About, chosen_nights, reason_of, say, speaker  # noqa: PLC0415  # --help stays quick
    from nightbench.cli.pinned import notes_of, pinned_in_words  # noqa: PLC0415

    store, place = where.opened()
    if not names:
        way_out = pinned_in_words(store, place) if kind == "unpin" else "see `nightbench history`"
        raise ConfigurationError("RUN", NOT_GIVEN, "which runs has to be said", way_out)
    found: dict[About, tuple[str, ...]] = {}
    for name in names:
        chosen, about = chosen_nights(store, name, place)
        if kind == "epoch" and len(chosen.nights) > 1:
            raise ConfigurationError("RUN", name, f"is {len(chosen.nights)} nights", "name the first one")
        found |= dict.fromkeys(about, ())
    who, why = speaker(said.who), reason_of(said.why)
    notes = [] if kind == "epoch" else notes_of(store, list(found), where.policy(), unpinned=kind == "unpin")
    return say(store, kind, found.items(), who=who, why=why, json=json, notes=notes)
