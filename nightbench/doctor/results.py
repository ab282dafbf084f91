"""The results: whether a night can be kept, and how old the last one is."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nightbench.ages import STALE, age_of
from nightbench.doctor.finding import Finding, Topic
from nightbench.history.marks import Night, said_invalid
from nightbench.history.reader import Reader
from nightbench.history.schema import OF_A_RUN, RUNS
from nightbench.history.store import HistoryStore
from nightbench.plan import NIGHTLY_TIERS, Suite, Tier, TierPlan
from nightbench.planning import SUITES
from nightbench.settings import Settings
from nightbench.strictness import policy_of
from nightbench.wording import amount

PLACE = Topic("results", "results")
DISK = Topic("results", "free disk")
CACHE = Topic("results", "cache")
FILES = Topic("results", "files")
NIGHTS = Topic("results", "last night")
BASELINE = Topic("results", "baseline")

RUN_BYTES = 300_000
"""What a run takes at most."""
MONTH_NIGHTS = 30
EMBEDDED_BYTES = 300_000_000
"""What an embedded PostgreSQL takes while a run loads it, in the cache."""
_SHOWN = 3
_NEWEST = 160  # runs of a suite and tier: of 20 nights with 4 blocks and as many repetitions
_READ = ("night_id", "environment", "started_at", "role", "valid")
_RUN = "nightbench run nightly"

Group = tuple[Suite, Tier]


@dataclass(frozen=True)
class Stored:
    """The valid nights of one suite and tier.

    Attributes:
        nights: How many.
        newest: When the last of them began, UTC; None without any.
    """

    nights: int = 0
    newest: datetime | None = None


def night_bytes(plans: Iterable[TierPlan]) -> int:
    """What the runs of a night of `plans` take at most, every suspect repeated."""
    return sum(len(SUITES) * (plan.blocks + plan.reruns) * RUN_BYTES for plan in plans)


def judge_disk(where: str, free: int, night: int, month: int) -> Finding:
    """Whether there is room, in bytes: for a night, and for a month of them."""
    why = f"{_size(free)} are free in {where}; a night takes {_size(night)} at most, a month {_size(month)}"
    mend = "make room there, or nightbench history prune --keep 90 --dry-run"
    if free < night:
        return DISK.failure(why, mend)
    return DISK.warning(why, mend) if free < month else DISK.ok(why)


def judge_cache(where: str, free: int) -> Finding:
    """Whether there is room for the embedded PostgreSQL, in bytes."""
    why = f"{_size(free)} are free in {where}; the embedded PostgreSQL takes {_size(EMBEDDED_BYTES)} at most"
    if free < EMBEDDED_BYTES:
        return CACHE.failure(why, "make room there, or set NIGHTBENCH_CACHE to another disk")
    return CACHE.ok(why)


def judge_files(unreadable: Sequence[tuple[str, str]]) -> Finding:
    """What cannot be read of the dataset: path and problem."""
    if not unreadable:
        return FILES.ok("every run that is stored can be read")
    shown = "; ".join(f"{path}: {problem}" for path, problem in unreadable[:_SHOWN])
    more = f"; and {len(unreadable) - _SHOWN} more" if len(unreadable) > _SHOWN else ""
    what = f"{amount(len(unreadable), 'file')} {'is' if len(unreadable) == 1 else 'are'}"
    return FILES.warning(f"{what} no part of the history: {shown}{more}", "move them away, or mend them")


def judge_nights(stored: Mapping[Group, Stored], now: datetime) -> Iterator[Finding]:
    """How old the last valid night of each suite and tier is."""
    if not any(each.nights for each in stored.values()):
        yield NIGHTS.warning("no valid night is stored yet", _RUN)
        return
    for (suite, tier), each in stored.items():
        if each.newest is None:
            yield NIGHTS.warning(f"{tier} {suite}: no valid night yet", _RUN)
        elif now - each.newest > STALE:
            yield NIGHTS.warning(
                f"{tier} {suite}: the last valid night is {age_of(now - each.newest)} old", _RUN
            )
    oldest = min((each.newest for each in stored.values() if each.newest), default=now)
    if all(each.newest for each in stored.values()) and now - oldest <= STALE:
        yield NIGHTS.ok(f"every suite and tier has a valid night of the last {age_of(now - oldest)}")


def judge_baseline(stored: Mapping[Group, Stored], least: int, gating: int) -> Finding:
    """Whether there are nights enough to tell a regression: `least` to compare with, `gating` to alert."""
    fewest = min(each.nights for each in stored.values())
    if fewest >= gating:
        return BASELINE.ok(
            f"{amount(fewest, 'night')} or more of every suite and tier; {gating} make regressions alert"
        )
    suite, tier = min(stored, key=lambda group: stored[group].nights)
    what = "is compared, and no regression alerts" if fewest >= least else "nothing is compared but targets"
    why = f"{tier} {suite} has {amount(fewest, 'valid night')}: {what} until there are {gating if fewest >= least else least}"
    return BASELINE.warning(why, f"{_RUN}, {amount(gating - fewest, 'more night')}")


def result_findings(settings: Settings, plans: Sequence[TierPlan]) -> Iterator[Finding]:
    """Look at the results.

    Raises:
        NightbenchError: when they cannot be written or read.
    """
    store = HistoryStore(settings.results)
    store.check_writable()
    yield PLACE.ok(f"{store.storage.name} can be written to")
    yield from _disk(settings, plans)
    now = datetime.now(UTC)
    stored = _stored(store, settings.environment)
    yield judge_files([(str(file.path), file.problem) for file in store.unreadable])
    yield from judge_nights(stored, now)
    policy = policy_of(settings)
    yield judge_baseline(stored, policy.least_nights, policy.gating_nights)


def _disk(settings: Settings, plans: Sequence[TierPlan]) -> Iterator[Finding]:
    night = night_bytes(plans)
    if settings.results_folder is None:
        yield DISK.ok("what an object store has room for is not known here")
    else:
        free = shutil.disk_usage(settings.results_folder).free
        yield judge_disk(str(settings.results_folder), free, night, MONTH_NIGHTS * night)
    if settings.websocket_url is None or settings.database_dsn is None:
        free = shutil.disk_usage(_there(settings.cache)).free
        yield judge_cache(str(settings.cache), free)


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that there is."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


def _stored(store: HistoryStore, environment: str) -> dict[Group, Stored]:
    groups: list[Group] = [(suite, tier) for tier in NIGHTLY_TIERS for suite in SUITES]
    no_measurement = said_invalid(store.marks(environment))
    return {group: _stored_of(store.reader, group, environment, no_measurement) for group in groups}


def _stored_of(reader: Reader, group: Group, environment: str, no_measurement: Collection[Night]) -> Stored:
    """Of the newest runs, which is enough to tell how well it stands; that all others are whole is looked at too."""
    for form in OF_A_RUN:
        reader.whole(form, reader.places(form, *group))
    nights: dict[str, datetime] = {}
    for _, table in reader.tables(RUNS, reader.places(RUNS, *group)[-_NEWEST:], _READ):
        for row in table.to_pylist():
            night = environment, *group, row["night_id"]
            counts = row["valid"] and row["role"] == "night" and row["environment"] == environment
            if counts and night not in no_measurement:
                nights[row["night_id"]] = row["started_at"]
    return Stored(len(nights), max(nights.values(), default=None))


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
