"""What people say about runs, as rows of the dataset: epochs, pins and acknowledgements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from nightbench.history.record import clean_text
from nightbench.measurement import new_id

MarkKind = Literal["accept", "mute", "invalid", "pin", "unpin", "epoch"]

_TEXTS = ("mark_id", "environment", "suite", "tier", "run_id", "night_id", "who", "why")

Night = tuple[str, str, str, str]
"""Environment, suite, tier and id of a night."""


@dataclass(frozen=True)
class Mark:
    """One statement of one person about one run; never edited, only followed by another.

    Attributes:
        mark_id: Unique; sorts by time.
        kind: ``accept``: from this night on the metrics' new level is the normal one (an epoch of theirs);
            ``mute``: no alert of them until `until`; ``invalid``: the night is no measurement;
            ``pin``/``unpin``: the run is (no longer) of the set that is compared with;
            ``epoch``: a new epoch for all metrics of the suite and tier.
        environment, suite, tier, run_id, night_id: What it is about.
        metrics: Names; empty means all of the suite and tier.
        until: End of a mute, UTC.
        who, why: Never empty.
        at: When it was said, UTC.
    """

    mark_id: str
    kind: MarkKind
    environment: str
    suite: str
    tier: str
    run_id: str
    night_id: str
    metrics: tuple[str, ...]
    who: str
    why: str
    at: datetime
    until: datetime | None = None


def new_mark(
    kind: MarkKind,
    *,
    environment: str,
    suite: str,
    tier: str,
    run_id: str,
    night_id: str,
    who: str,
    why: str,
    metrics: Iterable[str] = (),
    until: datetime | None = None,
    at: datetime | None = None,
) -> Mark:
    """A mark of this moment, or of `at`, with an id of its own; its texts are cleaned.

    Raises:
        ValueError: when it says nothing: without `who` or `why`, or a mute without an end.
    """
    said_at = (at or datetime.now(UTC)).astimezone(UTC)
    who, why = clean_text(who).strip(), clean_text(why).strip()
    if not who or not why:
        msg = "a mark says who made it and why"
        raise ValueError(msg)
    if (kind == "mute") != (until is not None):
        msg = "a mute has an end, and nothing else has one"
        raise ValueError(msg)
    return Mark(
        mark_id=new_id(kind, said_at),
        kind=kind,
        environment=clean_text(environment),
        suite=suite,
        tier=tier,
        run_id=clean_text(run_id),
        night_id=clean_text(night_id),
        metrics=tuple(clean_text(metric) for metric in metrics),
        who=who,
        why=why,
        at=said_at,
        until=None if until is None else until.astimezone(UTC),
    )


def row_of(mark: Mark) -> dict[str, Any]:
    """The mark as a row of the table ``marks``."""
    return {**asdict(mark), "metrics": list(mark.metrics)}


def mark_of(row: Mapping[str, Any]) -> Mark:
    """The mark of a row; instants in UTC, texts cleaned once more, since anybody may have written the file.

    Raises:
        ValueError: when it is of no known kind.
    """
    if row["kind"] not in get_args(MarkKind):
        msg = f"has a mark of an unknown kind: {clean_text(str(row['kind']))!r}"
        raise ValueError(msg)
    texts = {name: clean_text(row[name] or "") for name in _TEXTS}
    return Mark(
        **texts,
        kind=row["kind"],
        metrics=tuple(clean_text(metric) for metric in row["metrics"] or ()),
        at=row["at"].astimezone(UTC),
        until=None if row["until"] is None else row["until"].astimezone(UTC),
    )


def night_of(mark: Mark) -> Night:
    """The runs that a mark is about: all of its night, suite and tier, each of which is a block of the night."""
    return mark.environment, mark.suite, mark.tier, mark.night_id


def pinned(marks: Iterable[Mark]) -> dict[Night, Mark]:
    """The pins that hold: the last word on a night is no ``unpin``. `marks` are in the order of their making."""
    last = {night_of(mark): mark for mark in marks if mark.kind in ("pin", "unpin")}
    return {night: mark for night, mark in last.items() if mark.kind == "pin"}


def said_invalid(marks: Iterable[Mark]) -> frozenset[Night]:
    """The nights of which somebody said that they are no measurement, in no metric."""
    return frozenset(night_of(mark) for mark in marks if mark.kind == "invalid" and not mark.metrics)
