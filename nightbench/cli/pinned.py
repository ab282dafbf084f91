"""What a pin changes for the nights to come, before anybody waits for an alert that cannot come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nightbench.cli.marking import About
from nightbench.cli.selection import Place
from nightbench.history.filters import RunFilter
from nightbench.history.marks import Night, pinned
from nightbench.history.store import HistoryStore
from nightbench.scrub import scrub
from nightbench.verdict.policy import Policy

_NAMED = 10
"""How many pinned nights an error names."""


def notes_of(store: HistoryStore, about: Sequence[About], policy: Policy, *, unpinned: bool) -> list[str]:
    """What the pins of each suite and tier in `about` come to, once these nights are (un)pinned too.

    Args:
        store: Where the earlier pins are.
        about: What is about to be said.
        policy: How many nights a baseline needs.
        unpinned: Whether it takes pins back.
    """
    before = {environment: set(pinned(store.marks(environment))) for environment in _environments(about)}
    valid = _valid_nights(store, about)
    notes = [
        f"{each.words} was not pinned"
        for each in about
        if unpinned and _night(each) not in before[each.environment]
    ]
    for environment, suite, tier in dict.fromkeys(
        (each.environment, each.suite, each.tier) for each in about
    ):
        said = {_night(each) for each in about}
        after = before[environment] - said if unpinned else before[environment] | said
        own = {night for night in after if night[1:3] == (suite, tier)}
        notes.extend(_consequence(f"{tier} {suite}", len(own), len(own & valid), policy))
    return notes


def pinned_in_words(store: HistoryStore, place: Place) -> str:
    """Which nights are pinned, the newest first."""
    nights = [
        night
        for night in pinned(store.marks(place.environment))
        if place.suite in (None, night[1]) and place.tier in (None, night[2])
    ]
    names = sorted({night[3] for night in nights}, reverse=True)
    if not names:
        return f"nothing{place.words} is pinned in environment {place.environment}"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return scrub(f"pinned are {', '.join(names[:_NAMED])}{more}")


def _consequence(series: str, nights: int, valid: int, policy: Policy) -> Iterator[str]:
    if not nights:
        yield f"{series}: nothing is pinned any more: it is compared with the last nights again"
        return
    are = "1 night is pinned" if nights == 1 else f"{nights} nights are pinned"
    if nights > valid:
        are += f", {valid} of them valid"
    if valid >= policy.gating_nights:
        return
    what = "nothing is compared" if valid < policy.least_nights else "changes are shown as provisional"
    yield (
        f"{series}: {are}: {what}, and no regression can be found, until {policy.gating_nights} are pinned, or none"
        " (`nightbench history unpin`)"
    )


def _valid_nights(store: HistoryStore, about: Sequence[About]) -> set[Night]:
    runs = store.runs(RunFilter(valid=True))
    runs = runs[runs["role"].eq("night") & runs["environment"].isin(_environments(about))]
    columns = ["environment", "suite", "tier", "night_id"]
    return set(runs[columns].itertuples(index=False, name=None))


def _environments(about: Sequence[About]) -> list[str]:
    return list(dict.fromkeys(each.environment for each in about))


def _night(each: About) -> Night:
    return each.environment, each.suite, each.tier, each.night_id
