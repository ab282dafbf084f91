"""Flags of the commands that read and mark the history."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from nightbench import settings as settings_module
from nightbench.cli import flags
from nightbench.errors import ConfigurationError
from nightbench.plan import Suite, Tier
from nightbench.scrub import scrub

if TYPE_CHECKING:
    from nightbench.cli.selection import Place
    from nightbench.history.filters import RunFilter
    from nightbench.history.store import HistoryStore
    from nightbench.settings import Settings
    from nightbench.verdict.policy import Policy

_MOST = 1_000_000

RUNS = Group("Which runs", sort_key=1)
SAYING = Group("What is said", sort_key=2)

SuiteFlag = Annotated[
    Suite | None, Parameter("--suite", group=RUNS, help="only this suite: websocket or database")
]
TierFlag = Annotated[
    Tier | None, Parameter("--tier", group=RUNS, help="only this tier: quick, baseline, full or stress")
]
Environment = Annotated[
    str | None,
    Parameter("--environment", group=RUNS, help="whose runs; NIGHTBENCH_ENVIRONMENT, or local, unless given"),
]
Since = Annotated[
    str | None,
    Parameter(
        "--since",
        group=RUNS,
        help="only runs from this day or instant on: 2026-11-20, 2026-11-20T03:15; in UTC unless it names its "
        "zone, as 2026-11-20T03:15+01:00 does",
    ),
]
Until = Annotated[
    str | None,
    Parameter(
        "--until", group=RUNS, help="only runs up to this day, which is included, or instant; as for --since"
    ),
]
Last = Annotated[int | None, Parameter("--last", group=RUNS, help="only the newest so many runs")]
ValidOnly = Annotated[
    bool,
    Parameter("--valid", negative="--all", group=RUNS, help="only runs that can be trusted, or all of them"),
]
Why = Annotated[str, Parameter("--why", group=SAYING, help="the reason; it is shown wherever this counts")]
Who = Annotated[
    str | None, Parameter("--who", group=SAYING, help="who says so; the user of this machine unless given")
]


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Whose runs a command is about, and where they lie."""

    suite: SuiteFlag = None
    tier: TierFlag = None
    environment: Environment = None
    results: flags.Results = None

    def opened(self) -> tuple[HistoryStore, Place]:
        """The dataset, and the part of it that is meant."""
        from nightbench.cli.selection import Place  # noqa: PLC0415  # --help stays quick
        from nightbench.history.store import HistoryStore  # noqa: PLC0415

        settings = self._settings()
        return HistoryStore(settings.results), Place(settings.environment, self.suite, self.tier)

    def policy(self) -> Policy:
        """How strictly a night of theirs is judged."""
        from nightbench.strictness import policy_of  # noqa: PLC0415  # --help stays quick

        return policy_of(self._settings())

    def _settings(self) -> Settings:
        return settings_module.load({"environment": self.environment, "results": self.results})


@Parameter(name="*")
@dataclass(frozen=True)
class Said:
    """What every mark has beside what it is about."""

    why: Why
    who: Who = None


NOWHERE_ELSE = Where()
"""All suites and tiers of the environment that is set."""


def run_filter(
    *,
    environment: str | None,
    suite: Suite | None,
    tier: Tier | None,
    since: str | None,
    until: str | None,
    last: int | None,
    valid: bool,
) -> RunFilter:
    """The runs that the flags mean.

    Raises:
        ConfigurationError: naming the flag.
    """
    from nightbench.cli.selection import day  # noqa: PLC0415  # --help stays quick
    from nightbench.history.filters import RunFilter  # noqa: PLC0415

    if last is not None and not 1 <= last <= _MOST:
        raise ConfigurationError("--last", last, f"has to be from 1 to {_MOST}")
    first = None if since is None else day(since, "--since")
    end = None if until is None else day(until, "--until", end=True)
    if first and end and end < first:
        raise ConfigurationError("--until", scrub(until or ""), f"lies before --since {since}", "swap them")
    return RunFilter(
        environment=environment,
        suite=suite,
        tier=tier,
        since=first,
        until=end,
        valid=True if valid else None,
        last=last,
    )


def tell_unreadable(store: HistoryStore) -> None:
    """Name every file that had to be skipped: a gap is never silent."""
    from nightbench.cli.telling import tell  # noqa: PLC0415

    for file in store.unreadable:
        tell(scrub(f"{file.path}: not part of the history: {file.problem}"))


def metric_advice(name: str, known: Iterable[str]) -> str:
    """What a metric of an unknown name may have been meant to be."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else "`nightbench history show RUN` lists them"
