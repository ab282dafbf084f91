"""The second copy of the results: how old it is, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from nightbench.ages import STALE, age_of
from nightbench.doctor.finding import Finding, Topic
from nightbench.history.copying import Lack, began_of, check_apart, lack_of
from nightbench.history.root import storage_at
from nightbench.settings import Settings
from nightbench.wording import amount

BACKUP = Topic("results", "backup")
_SHOWN = 3
_YOUNG = timedelta(days=7)
"""Of the months since then the files of the copy are looked at."""


def judge_backup(place: str, lack: Lack, now: datetime) -> Finding:
    """How old the copy is, and what it lacks."""
    mend = "nightbench history backup"
    lacking = lack.lacking
    age = "it has no run" if lack.newest is None else f"its newest run is {age_of(now - lack.newest)} old"
    why = f"{place}: {age}, and it lacks {len(lacking)} of {amount(len(lack.runs), 'run')}"
    if lack.torn:
        return BACKUP.failure(
            f"{why}; torn there: {', '.join(lack.torn[:_SHOWN])}", f"move it away there, then {mend}"
        )
    oldest = began_of(lacking[0]) if lacking else None
    if lacking and (oldest is None or now - oldest > STALE):
        return BACKUP.warning(why, mend)
    return BACKUP.ok(why)


def backup_findings(settings: Settings) -> Iterator[Finding]:
    """Compare the second copy with the results.

    Raises:
        NightbenchError: when one of the two cannot be looked into.
    """
    if settings.backup is None:
        yield BACKUP.ok("none is kept: NIGHTBENCH_BACKUP names no second location")
        return
    check_apart(settings.results, settings.backup)
    there, now = storage_at(settings.backup), datetime.now(UTC)
    # older files were looked at when they were young
    lack = lack_of(storage_at(settings.results), there, since=f"{now - _YOUNG:%Y-%m}")
    yield judge_backup(there.name, lack, now)
